"""Which value of each setting holds: command line > GUNICORN_CMD_ARGS > one config file > environment > default."""

from __future__ import annotations

from hardenctl.formats.effective import CMD_ARGS, COMMAND_LINE, CONFIG_FILE, ENVIRONMENT, Effective
from hardenctl.formats.gunicorn.arguments import Argument, Arguments, parse_arguments
from hardenctl.formats.gunicorn.conf import Assigned, ConfigFile
from hardenctl.formats.gunicorn.options import BY_NAME
from hardenctl.formats.shell.values import Scope, Value, resolve_words
from hardenctl.formats.shell.words import Word, split_words
from hardenctl.formats.strand import Strand
from hardenctl.model.text import Span

_CPU_NAMES = ("nproc", "cpu_count", "_NPROCESSORS_", "/proc/cpuinfo")


def environment_arguments(scope: Scope) -> Arguments:
    """What GUNICORN_CMD_ARGS says; everything in it points at the place that sets the variable."""
    known = scope.get("GUNICORN_CMD_ARGS")
    if known is None or known.text is None:
        return Arguments()
    place = known.span or Span("", 0, 0)
    text = Strand(place.path, known.text, range(place.start, place.start + len(known.text) + 1))
    words = [token for token in split_words(text) if isinstance(token, Word)]
    return parse_arguments(resolve_words(words, {}))


def effective_settings(
    arguments: Arguments, in_environment: Arguments, config: ConfigFile | None, scope: Scope
) -> dict[str, Effective]:
    """Every setting that something sets."""
    found = _defaults(scope)
    for name, assigned in (config.settings if config else {}).items():
        found[name] = _from_config(name, assigned)
    for name, argument in in_environment.settings.items():
        found[name] = _from_argument(argument, CMD_ARGS)
    for name, argument in arguments.settings.items():
        found[name] = _from_argument(argument, COMMAND_LINE)
    return found


def config_path(arguments: Arguments, in_environment: Arguments) -> tuple[str | None, bool]:
    """The config file that is asked for, and whether that can be told; None for `./gunicorn.conf.py`."""
    for given in (arguments, in_environment):
        argument = given.settings.get("config")
        if argument is not None:
            return (str(argument.value), True) if argument.known else (None, False)
    return None, True


def _from_argument(argument: Argument, origin: str) -> Effective:
    expression = argument.expression
    return Effective(
        argument.value,
        argument.known,
        argument.span,
        argument.value_span,
        origin,
        expression,
        configurable=argument.configurable,
        counts_cpus=any(name in (expression or "") for name in _CPU_NAMES),
        error=argument.error,
        flag_span=argument.flag_span,
    )


def _from_config(name: str, assigned: Assigned) -> Effective:
    result, option, error = assigned.result, BY_NAME[name], None
    value = None
    if result.known:
        try:
            value = option.convert(result.value)
        except (ValueError, TypeError):
            error = "not a value gunicorn accepts"
    return Effective(
        value,
        (result.known or result.kind == "function") and error is None,
        Span(assigned.span.path, assigned.name_span.start, assigned.span.end),
        assigned.span,
        CONFIG_FILE,
        result.source if result.kind == "value" else result.name or None,
        configurable=result.configurable,
        counts_cpus=result.counts_cpus,
        error=error,
    )


def _defaults(scope: Scope) -> dict[str, Effective]:
    found = {}
    for variable, name in (
        ("WEB_CONCURRENCY", "workers"),
        ("FORWARDED_ALLOW_IPS", "forwarded_allow_ips"),
        ("PORT", "bind"),
    ):
        known = scope.get(variable)
        if known is not None and (known.span or known.text is not None):
            found[name] = _from_variable(name, variable, known)
    return found


def _from_variable(name: str, variable: str, known: Value) -> Effective:
    value, error = None, None
    if known.text is not None:
        text = f"0.0.0.0:{known.text}" if variable == "PORT" else known.text
        try:
            value = BY_NAME[name].convert(text, command_line=True)
        except (ValueError, TypeError):
            error = "not a value gunicorn accepts"
    return Effective(
        value,
        known.text is not None and error is None,
        known.span,
        known.span,
        ENVIRONMENT,
        known.expression or (None if known.text is not None else f"${variable}"),
        configurable=True,
        error=error,
    )
