"""The look and the script of the report's page: filters by severity, status and words, without any network."""

STYLE = """
.rule{border:1px solid var(--line);border-radius:8px;margin:14px 0;padding:14px 18px;overflow-wrap:anywhere}
.rule h3{display:flex;gap:10px;align-items:center;flex-wrap:wrap}
article{border-top:1px solid var(--line);margin-top:12px;padding-top:10px}
.place{font-weight:600}
.frame{background:var(--soft);border-radius:6px;padding:8px 0;margin:8px 0;overflow-x:auto;line-height:1.55}
.frame span{display:block;padding:0 12px}.frame .hit{background:var(--none-bg)}
.frame i{display:inline-block;min-width:3.2em;padding-right:1em;text-align:right;color:var(--dim);font-style:normal;
user-select:none}
mark{background:var(--mark);color:inherit;border-bottom:2px solid var(--warn)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 14px;margin:8px 0}dt{color:var(--dim)}dd{margin:0}
#filters{position:sticky;top:0;background:var(--bg);padding:8px 0;z-index:1;border-bottom:1px solid var(--line)}
fieldset{border:0;padding:0;margin:0;display:flex;flex-wrap:wrap;gap:6px 16px;align-items:center}
legend{float:left;color:var(--dim);padding:0 16px 0 0}
input[type=search]{font:inherit;padding:4px 8px;border:1px solid var(--line);border-radius:6px;background:var(--bg);
color:inherit;width:15em;max-width:100%}
#shown{color:var(--dim);font-size:13px}
"""

SCRIPT = """
"use strict";
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  form.hidden = false;
  const articles = [...document.querySelectorAll("article")];
  const texts = articles.map(each => (each.parentElement.id + " " + each.textContent).toLowerCase());
  const apply = () => {
    const severities = new Set([...form.querySelectorAll("[name=severity]:checked")].map(each => each.value));
    const aside = form.querySelector("[name=aside]");
    const words = form.querySelector("[name=words]").value.toLowerCase().split(/\\s+/).filter(Boolean);
    let shown = 0;
    articles.forEach((each, index) => {
      each.hidden = !(severities.has(each.dataset.severity)
        && (each.dataset.status === "open" || (aside && aside.checked))
        && words.every(word => texts[index].includes(word)));
      shown += !each.hidden;
    });
    for (const group of document.querySelectorAll(".rule"))
      group.hidden = [...group.querySelectorAll("article")].every(each => each.hidden);
    document.getElementById("shown").textContent = shown + " of " + articles.length + " findings shown";
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", event => event.preventDefault());
  apply();
})();
"""
