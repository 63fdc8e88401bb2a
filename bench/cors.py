"""CORS: our static verdicts and the peers', on the corpus whose truth is what the real middleware answers.

    python bench/cors.py --semgrep PROGRAM --rules FOLDER [--bandit PROGRAM]

FOLDER holds semgrep's public rules (a checkout of semgrep/semgrep-rules). A case is bad when an origin that is not its
own gets in, or the application does not start; a tool finds it when it says anything about CORS in the case's files.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(CHECKOUT / "tests" / "formats"), str(CHECKOUT)]


def main() -> None:
    """Write the cases out, ask everybody, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--semgrep")
    parser.add_argument("--rules", type=Path)
    parser.add_argument("--bandit")
    options = parser.parse_args()
    from test_cors_corpus import CASES, CORPUS, real_classes, static_classes, static_hits

    hits = {name: static_hits(name) for name in CASES}
    proofs = {name: [hit.evidence["origin"] for _, hit in found if hit.evidence] for name, found in hits.items()}
    command = [sys.executable, str(CORPUS.parent / "cors_truth.py"), str(CORPUS)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, input=json.dumps(proofs))
    bad = {name for name, result in json.loads(done.stdout).items() if real_classes(result)}
    with tempfile.TemporaryDirectory() as scratch:
        names = {f"case{number}": name for number, name in enumerate(CASES)}
        for folder, name in names.items():
            for path, text in CASES[name].files.items():
                target = Path(scratch) / folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
        print(f"{len(CASES)} cases, {len(bad)} of them bad\n")
        print(f"{'tool':<34}{'bad found':>10}{'false alarms':>14}")
        _row("hardenctl", {name for name in CASES if static_classes(name)}, bad)
        if options.semgrep and options.rules:
            version = _output([options.semgrep, "--version"]).strip().splitlines()[-1]
            found = semgrep(options.semgrep, options.rules, scratch)
            _row(f"semgrep {version}, public rules", _names(found, names), bad)
        if options.bandit:
            version = _output([options.bandit, "--version"]).split()[1]
            _row(f"bandit {version}", _names(bandit(options.bandit, scratch), names), bad)
    unresolved = [name for name, found in hits.items() if "cors-unresolved" in {rule for rule, _ in found}]
    print(f"\nunresolved by hardenctl: {', '.join(unresolved) or 'none'}")


def semgrep(program: str, rules: Path, folder: str) -> Iterable[str]:
    """The files in which a rule about CORS fires."""
    about = [
        each for each in rules.rglob("*.y*ml") if re.search("cors|allow-origin", each.name + _text(each), re.IGNORECASE)
    ]
    configs = [part for each in about for part in ("--config", str(each))]
    text = _output(
        [program, "scan", "--metrics=off", "--disable-version-check", "--no-git-ignore", "--json", *configs, folder]
    )
    return [
        each["path"]
        for each in json.loads(text)["results"]
        if "cors" in each["check_id"] + each["extra"]["message"].lower()
    ]


def bandit(program: str, folder: str) -> Iterable[str]:
    """The files in which something about CORS is said."""
    text = _output([program, "-r", "-q", "-f", "json", folder])
    return [each["filename"] for each in json.loads(text)["results"] if "cors" in each["issue_text"].lower()]


def _names(paths: Iterable[str], names: dict[str, str]) -> set[str]:
    return {names[part] for each in paths for part in Path(each).parts if part in names}


def _row(tool: str, flagged: set[str], bad: set[str]) -> None:
    print(f"{tool:<34}{len(flagged & bad):>10}{len(flagged - bad):>14}")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


if __name__ == "__main__":
    main()
