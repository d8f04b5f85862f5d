// Copyright: Contributors to the vcf.ray project
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Draws the pictures in the colours of the page, and again when the reader changes from light to dark.
(() => {
  const sources = [...document.querySelectorAll("pre.mermaid")].map((place) => [place, place.textContent]);
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => document.body.dataset.theme === "dark" || (document.body.dataset.theme !== "light" && system.matches);
  const scale = (place) => {
    const picture = place.querySelector("svg");
    return place.clientWidth / picture.viewBox.baseVal.width;
  };
  let drawn;

  const put = async (place, text) => {
    place.textContent = text;
    place.removeAttribute("data-processed");
    await mermaid.run({ nodes: [place] });
  };

  const draw = async () => {
    if (drawn === dark()) return;
    drawn = dark();
    mermaid.initialize({
      startOnLoad: false,
      theme: drawn ? "dark" : "neutral",
      fontFamily: getComputedStyle(document.body).fontFamily,
      flowchart: { nodeSpacing: 20, rankSpacing: 28, padding: 10, subGraphTitleMargin: { top: 4, bottom: 12 } },
    });
    for (const [place, text] of sources) {
      await put(place, text);
      // From left to right it would be too small to read here, so from top to bottom.
      if (scale(place) < 0.6) await put(place, text.replace(/^\s*flowchart LR/, "flowchart TB"));
      // What is too wide all the same is scrolled in its place.
      const picture = place.querySelector("svg");
      picture.style.minWidth = `${0.5 * picture.viewBox.baseVal.width}px`;
    }
  };

  document.addEventListener("DOMContentLoaded", draw);
  new MutationObserver(draw).observe(document.body, { attributeFilter: ["data-theme"] });
  system.addEventListener("change", draw);
})();
