// Copyright: Contributors to the vcf.ray project
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// What a person sees of the report, in numbers. Each function gives the places where it is wrong, so an empty list is good.

const rgb = (text) => (text.match(/[\d.]+/g) || [0, 0, 0]).map(Number);
const light = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const contrast = (a, b) => { const [hi, lo] = [light(rgb(a)), light(rgb(b))].sort((x, y) => y - x); return (hi + 0.05) / (lo + 0.05); };
const shown = (el) => el.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && el.getClientRects().length > 0;
const svg = [...document.querySelectorAll("svg.picture")].find(shown);
const drawn = svg ? [...svg.querySelectorAll("text")].map((el) => ({ el, text: el.textContent, box: el.getBoundingClientRect() })) : [];
const rects = svg ? [...svg.querySelectorAll("rect")].map((el) => ({ el, box: el.getBoundingClientRect() })) : [];

// The smallest box in which a text begins: that is the one it belongs to.
const home = (t) => rects.filter((r) => r.box.left <= t.box.left + 1 && t.box.left < r.box.right && r.box.top <= t.box.top + 2 && t.box.top < r.box.bottom)
  .sort((a, b) => a.box.width * a.box.height - b.box.width * b.box.height)[0];
const outside = () => drawn.filter((t) => { const h = home(t); return !h || t.box.right > h.box.right + 0.5 || t.box.bottom > h.box.bottom + 0.5; }).map((t) => t.text);
const overlapping = () => drawn.flatMap((a, i) => drawn.slice(i + 1).filter((b) => Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left) > 0.5
  && Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top) > 2.5).map((b) => [a.text, b.text]));
const crossing = () => rects.flatMap((a, i) => rects.slice(i + 1).filter((b) => {
  const w = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left), h = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
  if (w <= 0.5 || h <= 0.5) return false;
  const inside = (x, y) => x.left >= y.left - 0.5 && x.right <= y.right + 0.5 && x.top >= y.top - 0.5 && x.bottom <= y.bottom + 0.5;
  return !inside(a.box, b.box) && !inside(b.box, a.box);
}).map((b) => [a.el.getAttribute("class"), b.el.getAttribute("class")]));
const tiny = () => drawn.filter((t) => !t.text.trim() || !shown(t.el) || t.box.height < 11).map((t) => t.text);
const cut = () => [...document.querySelectorAll("body *:not(svg *)")].filter((el) => shown(el) && !el.closest(".hidden, thead, .skip")
  && (el.scrollWidth > el.clientWidth + 1) && el.clientWidth > 0 && getComputedStyle(el).display !== "inline").map((el) => el.outerHTML.slice(0, 120));

// Contrast of every piece of text with what lies behind it, and of every shape with its box.
const behind = (el) => { for (let e = el; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (rgb(c)[3] !== 0) return c; } return "rgb(255, 255, 255)"; };
const faint = () => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const bad = [];
  while (walker.nextNode()) {
    const el = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || el.closest("svg") || !shown(el)) continue;
    const ratio = contrast(getComputedStyle(el).color, behind(el));
    if (ratio < 4.5) bad.push([el.className, walker.currentNode.data.slice(0, 40), ratio]);
  }
  for (const t of drawn) {
    const ratio = contrast(getComputedStyle(t.el).fill, getComputedStyle(home(t).el).fill);
    if (ratio < 4.5) bad.push([t.el.getAttribute("class"), t.text, ratio]);
  }
  for (const el of document.querySelectorAll(".solid, .ring")) {
    if (!shown(el)) continue;
    const style = getComputedStyle(el), box = el.getBoundingClientRect();
    const h = el.closest(".picture") ? home({ box }) : null;
    const ratio = contrast(style.fill === "none" ? style.stroke : style.fill, h ? getComputedStyle(h.el).fill : behind(el));
    if (ratio < 3) bad.push([el.getAttribute("class"), box.x, ratio]);
  }
  return bad;
};

// What a screen reader goes by.
const unnamed = () => [
  ...[...document.querySelectorAll("section")].filter((el) => !document.getElementById(el.getAttribute("aria-labelledby"))?.textContent.trim()).map((el) => el.outerHTML.slice(0, 80)),
  ...[...document.querySelectorAll("svg[role=img]")].filter((el) => el.getAttribute("aria-labelledby").split(" ").some((id) => !document.getElementById(id)?.textContent.trim())).map(() => "svg"),
  ...[...document.querySelectorAll("svg:not([role=img])")].filter((el) => el.getAttribute("aria-hidden") !== "true").map(() => "icon"),
  ...[...document.querySelectorAll("th:not([scope]), table:not(:has(caption))")].map((el) => el.tagName),
];
const skipped = () => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((el) => Number(el.tagName[1])).filter((level, i, all) => level > (i ? all[i - 1] : 0) + 1);
const twice = () => [...document.querySelectorAll("[id]")].map((el) => el.id).filter((id, i, all) => all.indexOf(id) !== i);

// What could run or be fetched.
const alive = () => [
  ...document.querySelectorAll("script, img, iframe, object, embed, link:not([rel=icon]), form, base, video, audio, image, use, foreignObject"),
  ...[...document.querySelectorAll("*")].filter((el) => [...el.attributes].some((a) => /^on/i.test(a.name) || /^\s*(javascript|data|vbscript):/i.test(a.value) && el.rel !== "icon")),
].map((el) => el.outerHTML.slice(0, 120));
