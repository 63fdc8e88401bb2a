"""The result page's script: the values of all charts at the moment under the pointer, or under the arrow keys."""

SCRIPT = """
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("points").textContent);
  const charts = [...document.querySelectorAll("svg[data-series]")];
  const left = 52, right = 14, width = 560;
  const show = (value, unit) => {
    if (value === null) return "\\u2013";
    const short = number => String(Number(number.toPrecision(3)));
    if (unit === "ms") return value >= 1000 ? short(value / 1000) + " s" : short(value) + " ms";
    if (unit === "%") return short(value * 100) + "%";
    if (unit === "B") return value >= 1e9 ? short(value / 1e9) + " GB" : short(value / 1e6) + " MB";
    return Number(value.toPrecision(4)).toLocaleString("en");
  };
  let current = null;
  const point = index => {
    current = index;
    for (const chart of charts) {
      const figure = chart.parentElement, line = chart.querySelector(".cross");
      if (index !== null) {
        const x = left + data.at[index] / Number(chart.dataset.last) * (width - left - right);
        line.setAttribute("x1", x); line.setAttribute("x2", x);
      }
      line.style.visibility = index === null ? "hidden" : "visible";
      for (const output of figure.querySelectorAll("output")) {
        const key = output.dataset.key;
        output.textContent = index === null ? ""
          : key === "at" ? "at " + data.at[index] + " s" : show(data[key][index], chart.dataset.unit);
      }
    }
  };
  const nearest = at => data.at.reduce((best, value, index) =>
    Math.abs(value - at) < Math.abs(data.at[best] - at) ? index : best, 0);
  for (const chart of charts) {
    chart.addEventListener("pointermove", event => {
      const box = chart.getBoundingClientRect();
      const share = ((event.clientX - box.left) / box.width * width - left) / (width - left - right);
      point(nearest(Math.min(1, Math.max(0, share)) * Number(chart.dataset.last)));
    });
    chart.addEventListener("pointerleave", () => point(null));
    chart.addEventListener("blur", () => point(null));
    chart.addEventListener("keydown", event => {
      const step = {ArrowLeft: -1, ArrowRight: 1, Home: -1e9, End: 1e9}[event.key];
      if (!step || !data.at.length) return;
      event.preventDefault();
      point(Math.min(data.at.length - 1, Math.max(0, (current ?? -1) + step)));
    });
  }
})();
"""
