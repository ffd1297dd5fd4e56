// Run in a page by tests/support/page_checks.py; an object of functions, each gives plain data.
({
  // What can be touched and is smaller than 44 by 44 CSS pixels; a box to tick counts with its label.
  small: () => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
    .filter((e) => {
      const box = e.getBoundingClientRect();
      const hidden = !box.width || !box.height || getComputedStyle(e).visibility === 'hidden';
      return !hidden && !e.closest('.skip, [hidden], [aria-hidden=true]');
    })
    .map((e) => {
      let box = e.getBoundingClientRect();
      const label = e.labels && e.labels[0];
      if (label && e.matches('[type=radio], [type=checkbox]')) {
        const other = label.getBoundingClientRect();
        box = {
          width: Math.max(box.right, other.right) - Math.min(box.left, other.left),
          height: Math.max(box.bottom, other.bottom) - Math.min(box.top, other.top),
        };
      }
      const name = e.tagName.toLowerCase() + ' ' + (e.id || e.name || e.textContent.trim().slice(0, 30));
      return [box.width, box.height, name];
    })
    .filter(([width, height]) => width < 43.9 || height < 43.9)
    .map(([width, height, name]) => `${name}: ${width.toFixed(1)}x${height.toFixed(1)}`),

  // Text whose contrast with the colour behind it is under 7 to 1.
  faint: () => {
    const part = (x) => (x / 255 <= 0.03928 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4);
    const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
    const read = (text) => { const all = text.match(/[\d.]+/g).map(Number); return all.length < 4 ? [...all, 1] : all; };
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const e = node.parentElement, box = e.getBoundingClientRect();
      if (!node.data.trim() || box.width <= 1 || box.height <= 1) continue;
      let behind = [255, 255, 255, 1];
      for (let at = e; at; at = at.parentElement) {
        const colour = read(getComputedStyle(at).backgroundColor);
        if (colour[3] === 1) { behind = colour; break; }
      }
      const both = [light(read(getComputedStyle(e).color)), light(behind)];
      const ratio = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
      if (ratio < 7) found.push(`${node.data.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
    }
    return found;
  },

  sideways: () => document.documentElement.scrollWidth > document.documentElement.clientWidth,

  axe: async () => {
    const tell = (one) => ({ id: one.id, nodes: one.nodes.map((n) => n.target.join(' ')) });
    const found = await axe.run(document, { resultTypes: ['violations', 'incomplete'] });
    return { broken: found.violations.map(tell), asks: found.incomplete.map(tell) };
  },
})
