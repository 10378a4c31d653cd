import { ENGLISH, type Language } from '../language/language.ts';
import { type Html, html } from './html.ts';

/** A name from the data, isolated so that its writing direction stays its own; an empty one is made visible. */
export function nameHtml(name: string, language: Language = ENGLISH): Html {
  return html`<bdi>${visibleName(name, language)}</bdi>`;
}

export function visibleName(name: string, { t }: Language = ENGLISH): string {
  return name.trim() === '' ? t.emptyName : name;
}

/** `a, b and c` */
export function joinHtml(items: readonly Html[], { t }: Language = ENGLISH): Html {
  const separatorBefore = (index: number) => {
    if (index === 0) return '';
    return index === items.length - 1 ? t.separators.last : t.separators.between;
  };
  return html`${items.map((item, index) => html`${separatorBefore(index)}${item}`)}`;
}

export function nameList(names: readonly string[], language: Language = ENGLISH): Html {
  return joinHtml(
    names.map((name) => nameHtml(name, language)),
    language,
  );
}
