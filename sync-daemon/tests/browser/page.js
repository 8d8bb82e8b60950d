// What is wrong with the page as it is shown, as a list of sentences; empty where all is well.

const wrong = [];

// [red, green, blue, alpha] from 0 to 255 and 0 to 1.
function colour(text) {
  const parts = /^rgba?\(([^)]*)\)$/.exec(text);
  if (!parts) throw new Error(`a colour in another form: ${text}`);
  const [r, g, b, a = 1] = parts[1].split(/[\s,/]+/).filter(Boolean).map(Number);
  return [r, g, b, a];
}

function over(above, below) {
  const alpha = above[3];
  return [0, 1, 2].map((i) => above[i] * alpha + below[i] * (1 - alpha)).concat(1);
}

// What is behind the content of an element: its own ground and its ancestors', over the page's.
function ground(element) {
  const grounds = [];
  for (let at = element; at; at = at.parentElement) grounds.push(colour(getComputedStyle(at).backgroundColor));
  return grounds.reverse().reduce((below, above) => over(above, below), [255, 255, 255, 1]);
}

// Relative luminance and contrast as in WCAG 2.2.
function luminance(c) {
  const [r, g, b] = c.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function isShown(element) {
  const box = element.getBoundingClientRect();
  return element.checkVisibility({ visibilityProperty: true }) && box.width > 1 && box.height > 1;
}

function opacity(element) {
  let product = 1;
  for (let at = element; at; at = at.parentElement) product *= Number(getComputedStyle(at).opacity);
  return product;
}

let texts = 0;

function checkText(element, text, pseudo) {
  texts += 1;
  const style = getComputedStyle(element, pseudo);
  const ink = colour(element instanceof SVGElement ? style.fill : style.color);
  ink[3] *= opacity(element);
  const behind = ground(element);
  const found = contrast(over(ink, behind), behind);
  if (found < 4.5) wrong.push(`contrast ${found.toFixed(2)} of ${pseudo ?? ''} "${text.trim().slice(0, 40)}" in <${element.localName} class="${element.getAttribute('class') ?? ''}">`);
}

const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const { nodeValue, parentElement } = walker.currentNode;
  if (nodeValue.trim() && !['title', 'desc'].includes(parentElement.localName) && isShown(parentElement)) checkText(parentElement, nodeValue);
}
for (const element of document.querySelectorAll('[data-label]')) {
  const content = getComputedStyle(element, '::before').content;
  if (content !== 'none' && isShown(element)) checkText(element, content, '::before');
}
for (const element of document.querySelectorAll('[placeholder]')) checkText(element, element.placeholder, '::placeholder');
if (texts < 20) wrong.push(`only ${texts} texts are shown`);

const { scrollWidth, clientWidth } = document.documentElement;
if (scrollWidth > clientWidth) {
  const wide = [...document.body.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > clientWidth + 0.5);
  const names = wide.slice(0, 5).map((e) => `<${e.localName} class="${e.getAttribute('class') ?? ''}">`);
  wrong.push(`${scrollWidth} px wide in ${clientWidth} px: ${names.join(' ')}`);
}
if (document.querySelector('script, img, iframe, object, embed')) wrong.push('an element that is not ours');
if (window.wasPlanted !== undefined) wrong.push('what was planted ran');
if (typeof window.planted !== 'function') wrong.push('what was planted had nothing to call');
const fetched = performance.getEntriesByType('resource').map((entry) => entry.name);
if (!fetched.some((name) => name.endsWith('.css'))) wrong.push('no style sheet was fetched');
for (const name of fetched) if (new URL(name).origin !== location.origin) wrong.push(`fetched from elsewhere: ${name}`);
return wrong;
