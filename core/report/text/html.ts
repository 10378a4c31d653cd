const MARKUP = Symbol('markup');

/** Markup that is safe to print. Only `html` makes it, so no value read from a file can pass for it. */
export interface Html {
  readonly [MARKUP]: string;
}

/** What a template may hold. Null is not among them: a missing value must be put in words first. */
export type Content = Html | string | number | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/**
 * Controls, lone surrogates and the characters that reorder text (embeddings, overrides, isolates): a group
 * name must not be able to turn round the sentence that it stands in. Tab and newline stay.
 */
const UNPRINTABLE = /(?![\t\n])[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu;

function escapeText(text: string): string {
  return text.replace(UNPRINTABLE, '\ufffd').replace(/[&<>"'`]/g, (character) => ENTITIES[character]!);
}

function markupOf(content: Content): string {
  if (typeof content === 'string') return escapeText(content);
  if (typeof content === 'number') return escapeText(String(content));
  if (MARKUP in content) return content[MARKUP];
  return content.map(markupOf).join('');
}

/**
 * Template tag, the one place where text becomes markup: literal parts are kept, interpolated text is escaped,
 * `Html` and lists of it are inserted. Attributes must be written with double quotes.
 */
export function html(literals: TemplateStringsArray, ...values: readonly Content[]): Html {
  const parts = literals.map((literal, index) => {
    const value = values[index];
    return value === undefined ? literal : literal + markupOf(value);
  });
  return { [MARKUP]: parts.join('') };
}

export const NOTHING: Html = html``;

/** The markup as text, to be written to a file. */
export function render(content: Html): string {
  return content[MARKUP];
}
