// Answers what is seen on a step and not answered, as shortly as may be; run by patient.py.
(form) => {
  const seen = (e) => e.checkVisibility() && !e.closest('details');
  const done = new Set();
  for (const e of form.querySelectorAll('input, select, textarea')) {
    if (!seen(e) || e.type === 'hidden' || e.type === 'file') continue;
    const type = e.tagName === 'SELECT' ? 'select' : e.type;
    if (type === 'radio') {
      if (done.has(e.name) || !e.value) continue;
      done.add(e.name);
      if (!form.querySelector(`input[name="${CSS.escape(e.name)}"]:checked:not([value=""])`)) e.click();
    } else if (type === 'checkbox') {
      if (e.name.endsWith('~confirm')) { if (!e.checked) e.click(); continue; }
      if (e.name.includes('~') || done.has(e.name)) continue;
      done.add(e.name);
      const alone = form.querySelector(`input[name="${CSS.escape(e.name)}"][data-x]`);
      if (!form.querySelector(`input[name="${CSS.escape(e.name)}"]:checked`)) (alone || e).click();
    } else if (type === 'select') {
      if (e.selectedIndex < 1 && e.options.length > 1) e.selectedIndex = 1;
    } else if (!e.value) {
      const last = e.name.split('~').pop();
      const given = {day: '', month: '3', year: '2020', clock: '9:30', own: ''}[last];
      e.value = given !== undefined ? given : e.inputMode === 'decimal' ? '90' : e.inputMode === 'numeric' ? '2' : 'Words of mine';
    }
    e.dispatchEvent(new Event('input', {bubbles: true}));
    e.dispatchEvent(new Event('change', {bubbles: true}));
  }
}
