import { type Html, html } from './html.ts';

/** A name from the data, isolated so that its writing direction stays its own; an empty one is made visible. */
export function nameHtml(name: string): Html {
  return html`<bdi>${visibleName(name)}</bdi>`;
}

export function visibleName(name: string): string {
  return name.trim() === '' ? '(empty name)' : name;
}

/** `a, b and c` */
export function joinHtml(items: readonly Html[]): Html {
  return html`${items.map((item, index) => html`${separatorBefore(index, items.length)}${item}`)}`;
}

function separatorBefore(index: number, length: number): string {
  if (index === 0) return '';
  return index === length - 1 ? ' and ' : ', ';
}

export function nameList(names: readonly string[]): Html {
  return joinHtml(names.map(nameHtml));
}
