// Shows the numbers of a point beside it while it is hovered, touched or focused, and lets the arrow
// keys go from point to point of a chart, so that Tab goes from chart to chart. Without it every
// point is a stop of Tab and has its numbers as a title.
(() => {
  'use strict';
  const readout = document.getElementById('readout');
  let shown = null;

  const line = (name, value) => {
    const row = document.createElement('div');
    const label = document.createElement('span');
    label.textContent = name;
    row.append(label, value);
    return row;
  };

  const hide = () => {
    if (shown) shown.classList.remove('near');
    shown = null;
    readout.hidden = true;
  };

  const show = (point) => {
    if (shown === point) return;
    hide();
    shown = point;
    point.classList.add('near');
    const title = document.createElement('b');
    title.textContent = point.dataset.title;
    const facts = point.dataset.facts ? point.dataset.facts.split('\n') : [];
    readout.replaceChildren(title, ...facts.map((fact) => line(...fact.split('\t'))));
    readout.hidden = false;

    // Above the point and within the window; below it where there is no room above.
    const svg = point.ownerSVGElement;
    const frame = svg.getBoundingClientRect();
    const scale = frame.width / svg.viewBox.baseVal.width;
    const x = frame.left + point.dataset.x * scale;
    const y = frame.top + point.dataset.y * scale;
    const room = document.documentElement.clientWidth - readout.offsetWidth - 8;
    const left = Math.max(8, Math.min(x - readout.offsetWidth / 2, room));
    const above = y - readout.offsetHeight - 18;
    readout.style.left = `${left + scrollX}px`;
    readout.style.top = `${(above > 4 ? above : y + 22) + scrollY}px`;
  };

  for (const svg of document.querySelectorAll('svg.chart')) {
    const points = [...svg.querySelectorAll('.point')];
    if (!points.length) continue;
    const first = points.find((point) => point.classList.contains('chosen')) || points[0];
    const makeStop = (stop) => {
      for (const point of points) point.setAttribute('tabindex', point === stop ? '0' : '-1');
    };
    makeStop(first);
    for (const point of points) {
      const title = point.querySelector('title');
      if (title) title.remove();
      point.addEventListener('pointerenter', () => show(point));
      point.addEventListener('pointerleave', () => {
        const focused = document.activeElement;
        hide();
        if (focused && focused.classList.contains('point')) show(focused);
      });
      point.addEventListener('focus', () => { makeStop(point); show(point); });
      point.addEventListener('blur', hide);
    }
    svg.addEventListener('keydown', (event) => {
      const at = points.indexOf(document.activeElement);
      if (at < 0) return;
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const to = event.key === 'Home' ? 0 : event.key === 'End' ? points.length - 1
        : step ? Math.max(0, Math.min(points.length - 1, at + step)) : null;
      if (event.key === 'Escape') hide();
      if (to === null) return;
      event.preventDefault();
      points[to].focus();
    });
  }
  addEventListener('resize', hide);
})();
