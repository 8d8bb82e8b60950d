// Where the keyboard is, among all that it must reach, in the order of the document.

const all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), summary')].filter((e) => e.checkVisibility({ visibilityProperty: true }));
const at = document.activeElement;
const style = getComputedStyle(at);
const box = at.getBoundingClientRect();
const isOutlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && !/, 0\)$|transparent/.test(style.outlineColor);
return {
  index: all.indexOf(at),
  count: all.length,
  name: `<${at.localName}> ${at.textContent.trim().slice(0, 40)}`,
  is_seen: isOutlined && box.width > 1 && box.height > 1 && style.clipPath === 'none',
};
