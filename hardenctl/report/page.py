"""A self-contained HTML page: the frame, the look, and the few pieces that every page of ours is made of.

Nothing is fetched: the page's own policy (CSP) forbids it. It reads without its script, which only adds comfort.
Colours follow the reader's system, dark or light, and each has a contrast of 4.5:1 or more on its ground.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape as _escape

from hardenctl.report.style import visible

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
STYLE = """
:root{color-scheme:light dark;--bg:#fff;--soft:#f5f7fa;--line:#d5dbe3;--text:#1b2430;--dim:#57616e;--link:#0b5cad;
--good:#17703a;--bad:#b3261e;--warn:#8a5300;--none:#57616e;--good-bg:#e3f4e8;--bad-bg:#fce8e6;--warn-bg:#fdf0d9;
--none-bg:#eceff3;--a:#0b62c4;--b:#c2410c;--c:#7a2bb8;--d:#0f766e;--mark:#fff1b8}
@media(prefers-color-scheme:dark){:root{--bg:#12161c;--soft:#1a2028;--line:#343d4a;--text:#e6eaf0;--dim:#a3adba;
--link:#7ab7ff;--good:#6fd08c;--bad:#ff8f87;--warn:#f0b862;--none:#a3adba;--good-bg:#12301d;--bad-bg:#3d1715;
--warn-bg:#38270a;--none-bg:#262d37;--a:#69aeff;--b:#ff9a62;--c:#cf9bff;--d:#5fd3c4;--mark:#4a3f12}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
header,main,footer{max-width:1160px;margin:0 auto;padding:0 24px}
header{padding-top:28px}h1{font-size:24px;line-height:1.25;margin:0 0 6px;display:flex;gap:12px;align-items:center;
flex-wrap:wrap}h2{font-size:17px;margin:34px 0 10px}h3{font-size:15px;margin:0}p{margin:6px 0}
a{color:var(--link)}code,pre,.mono{font-family:ui-monospace,"SF Mono",Menlo,Consolas,monospace;font-size:.92em}
.dim{color:var(--dim)}.pill{display:inline-block;font-size:13px;font-weight:650;line-height:1;padding:6px 10px;
border-radius:99px;white-space:nowrap}h1 .pill{font-size:15px}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}.none{color:var(--none)}
.pill.good{background:var(--good-bg)}.pill.bad{background:var(--bad-bg)}.pill.warn{background:var(--warn-bg)}
.pill.none{background:var(--none-bg)}
.call{border-left:4px solid;padding:8px 14px;margin:14px 0;border-radius:4px;background:var(--soft)}
.call p,.call li{color:var(--text)}.call ul{margin:4px 0;padding-left:18px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(128px,1fr));gap:10px;margin:18px 0}
.tile{background:var(--soft);border:1px solid var(--line);border-radius:8px;padding:10px 12px}
.tile b{display:block;font-size:21px;font-weight:650;line-height:1.3;font-variant-numeric:tabular-nums}
.tile span{color:var(--dim);font-size:13px}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--dim);padding:0 0 6px}
th,td{padding:6px 10px;border-bottom:1px solid var(--line);text-align:right;vertical-align:top}
td,th{white-space:nowrap}td.l{white-space:normal;min-width:8em}
th{font-weight:600;color:var(--dim);font-size:13px}tbody th{color:var(--text);font-size:inherit}
th.l,td.l{text-align:left}tr.sum>*{font-weight:650}
details>summary{cursor:pointer;color:var(--link)}
footer{margin-top:36px;padding-top:14px;padding-bottom:36px;border-top:1px solid var(--line);color:var(--dim);
font-size:13px}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
@media print{body{font-size:12px}details{display:none}}
"""


def escape(text: object) -> str:
    """Text for HTML, with everything that could hide or steer (bidi, zero-width) made visible."""
    return _escape(visible(str(text)))


def page(
    title: str, header: Iterable[str], main: Iterable[str], footer: str = "", *, style: str = "", script: str = ""
) -> str:
    """The whole page. `header`, `main` and `footer` are HTML; `title` is text."""
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(title)}</title>'
        f'<link rel="icon" href="data:,"><style>{STYLE}{style}</style>'
    )
    end = f"<script>{script}</script>\n" if script else ""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n<body>\n<header>\n'
        + "\n".join(part for part in header if part)
        + "\n</header>\n<main>\n"
        + "\n".join(part for part in main if part)
        + f"\n</main>\n<footer>{footer}</footer>\n{end}</body>\n</html>\n"
    )


def pill(text: str, kind: str) -> str:
    """A word in a colour: `good`, `bad`, `warn` or `none`. The word alone says it, too."""
    return f'<span class="pill {kind}">{escape(text)}</span>'


def tile(value: str, label: str, kind: str = "") -> str:
    """A figure with what it is."""
    colour = f' class="{kind}"' if kind else ""
    return f'<div class="tile"><b{colour}>{escape(value)}</b><span>{escape(label)}</span></div>'


def call(kind: str, title: str, lines: Sequence[str]) -> str:
    """A box that asks to be read; nothing where there is nothing to say."""
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<div class="call {kind}"><strong>{escape(title)}</strong><ul>{items}</ul></div>'


def section(title: str, *parts: str) -> str:
    """A part of the page with a heading; nothing where it would be empty."""
    body = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>" if body else ""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1, caption: str = "") -> str:
    """A table of cells that are HTML already; the first `left` columns stand left, and the first is each row's head."""

    def cell(index: int, text: str, kind: str = "td", scope: str = "row") -> str:
        attributes = f' scope="{scope}"' if kind == "th" else ""
        attributes += ' class="l"' if index < left else ""
        return f"<{kind}{attributes}>{text}</{kind}>"

    heads = "".join(cell(index, escape(name), "th", "col") for index, name in enumerate(columns))
    body = "\n".join(
        "<tr>" + "".join(cell(index, text, "td" if index else "th") for index, text in enumerate(row)) + "</tr>"
        for row in rows
    )
    if not body:
        return ""
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f'<div class="wide"><table>{said}<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'
