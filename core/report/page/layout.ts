import { ENGLISH, type Language } from '../language/language.ts';
import { type Content, type Html, html } from '../text/html.ts';

export interface Section {
  /** Anchor, unique in the document. */
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

export function sectionHtml({ id, title, body }: Section): Html {
  return html`<section id="${id}" aria-labelledby="${id}-heading">
<h2 id="${id}-heading">${title}</h2>
${body}
</section>
`;
}

/** A sentence that must not be missed; the word says it, the colour only repeats it. */
export function notice(kind: 'Warning' | 'Note', body: Content, { t }: Language = ENGLISH): Html {
  return html`<p class="notice ${kind.toLowerCase()}"><strong>${t.notices[kind]}</strong> ${body}</p>
`;
}

export function paragraph(body: Content): Html {
  return html`<p>${body}</p>
`;
}

export function bulletList(items: readonly Content[]): Html {
  return html`<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>
`;
}

/** Long matter behind its summary; print shows it open. */
export function disclosure(summary: string, body: Content): Html {
  return html`<details><summary>${summary}</summary>
${body}</details>
`;
}

export type Definition = readonly [term: Content, description: Content];

export function definitions(pairs: readonly Definition[], className = 'facts'): Html {
  const rows = pairs.map(
    ([term, description]) => html`<div><dt>${term}</dt><dd>${description}</dd></div>
`,
  );
  return html`<dl class="${className}">
${rows}</dl>
`;
}

/** Pictures side by side where the page is wide enough, with one caption. */
export function figure(pictures: readonly Html[], caption: Content): Html {
  return html`<figure><div class="pictures">${pictures}</div><figcaption>${caption}</figcaption></figure>
`;
}
