"""What the compose rules share: one finding per rule and file, with all services it covers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hardenctl.formats.compose import ComposeFile, Service, is_production
from hardenctl.model.finding import Edit, Fix, Hit, Related, Severity
from hardenctl.model.record import record
from hardenctl.model.text import Span

_SHOWN = 4  # what fits a line


@record
class Offence:
    """One service's share in a finding; `detail` as the message shows it."""

    service: Service
    span: Span
    severity: Severity
    detail: str = ""
    edit: Edit | None = None


def weigh(file: ComposeFile, service: Service, severity: Severity, *, production: Severity | None = None) -> Severity:
    """The severity where it stands: at most low in a file for development, `production` in one for production."""
    if file.development or service.development:
        return min(severity, Severity.LOW)
    return production if production is not None and is_production(file.path) else severity


def report(offences: Sequence[Offence], message: str, fix: Fix | None = None) -> Iterator[Hit]:
    """One hit for all, at the worst; `{services}` in the message stands for their names.

    `{details}` stands for what is wrong, each detail with its services, the worst first.
    """
    if not offences:
        return
    worst = max(offences, key=lambda each: each.severity)
    names = tuple(dict.fromkeys(each.service.name for each in offences))
    by_detail: dict[str, list[str]] = {worst.detail: []}
    for each in offences:
        by_detail.setdefault(each.detail, []).append(each.service.name)
    details = [f"{detail} ({_shown(list(dict.fromkeys(found)))})" for detail, found in by_detail.items()]
    yield Hit(
        worst.span,
        message.format(services=_shown(names), details=_shown(details)),
        identity=",".join(sorted(names)),
        severity=worst.severity,
        services=names,
        related=tuple(Related(each.span, each.service.name) for each in offences if each is not worst),
        fix=fix,
    )


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def image_name(service: Service) -> str:
    """The last part of the image's name, without registry, tag and digest; empty where it is built."""
    image = service.image
    if image is None:
        return ""
    return image.text.split("@")[0].split("/")[-1].split(":")[0].lower()
