/** A field with a list of what is usual, which takes any other text as well. */

/**
 * @param {HTMLInputElement} input whose `aria-controls` names the list, and which a button for it follows
 * @param {{ value: string, note?: string }[]} options
 */
export function combobox(input, options) {
  const list = document.getElementById(input.getAttribute('aria-controls'));
  const button = input.nextElementSibling;
  const items = options.map(({ value, note = '' }, index) => {
    const item = document.createElement('div');
    Object.assign(item, { id: `${list.id}-${index}`, role: 'option' });
    item.dataset.value = value;
    const name = Object.assign(document.createElement('span'), { textContent: value });
    const remark = Object.assign(document.createElement('small'), { textContent: note });
    item.append(name, remark);
    return item;
  });
  list.append(...items);
  let active;

  const visible = () => items.filter(({ hidden }) => !hidden);

  function open(isFiltered) {
    const text = input.value.trim().toLowerCase();
    for (const item of items) {
      item.hidden = isFiltered && !item.dataset.value.toLowerCase().includes(text);
      item.setAttribute('aria-selected', `${item.dataset.value === input.value}`);
    }
    list.hidden = visible().length === 0;
    input.setAttribute('aria-expanded', `${!list.hidden}`);
    point(undefined);
  }

  function close() {
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    point(undefined);
  }

  function point(item) {
    active?.classList.remove('active');
    active = item;
    active?.classList.add('active');
    active?.scrollIntoView({ block: 'nearest' });
    if (active) input.setAttribute('aria-activedescendant', active.id);
    else input.removeAttribute('aria-activedescendant');
  }

  function take(item) {
    input.value = item.dataset.value;
    close();
    input.dispatchEvent(new Event('input', { bubbles: true }));
    // That was a choice, and no text to find one by.
    close();
  }

  function step(by) {
    if (list.hidden) open(false);
    const choices = visible();
    const at = choices.indexOf(active);
    const from = at < 0 && by < 0 ? 0 : at;
    point(choices[(from + by + choices.length) % choices.length]);
  }

  input.addEventListener('input', (event) => {
    if (event.isTrusted) open(true);
  });
  input.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown') step(1);
    else if (event.key === 'ArrowUp') step(-1);
    else if (event.key === 'Enter' && active) take(active);
    else if (event.key === 'Escape' && !list.hidden) close();
    else return;
    event.preventDefault();
  });
  input.addEventListener('blur', close);
  // Before the field loses the focus, and the list with it.
  list.addEventListener('pointerdown', (event) => event.preventDefault());
  list.addEventListener('click', ({ target }) => {
    const item = target.closest('[role=option]');
    if (item) take(item);
  });
  button.addEventListener('pointerdown', (event) => event.preventDefault());
  button.addEventListener('click', () => {
    if (!list.hidden) return close();
    input.focus();
    return open(false);
  });
}
