import { type Content, type Html, html, NOTHING } from '../text/html.ts';

export interface Column {
  readonly title: Content;
  /** Right-aligned figures. */
  readonly isNumeric?: boolean;
}

interface Table {
  readonly caption: string;
  readonly columns: readonly Column[];
  /** `tr` elements, or `tbody` elements when `hasBodies`. */
  readonly rows: readonly Html[];
  readonly hasBodies?: boolean;
}

/** A table with caption, in a container of its own that scrolls sideways, so that the page never does. */
export function table({ caption, columns, rows, hasBodies = false }: Table): Html {
  const head = columns.map(
    ({ title, isNumeric }) =>
      html`<th scope="col"${isNumeric ? html` class="number"` : NOTHING}>${title}</th>`,
  );
  const body = hasBodies ? html`${rows}` : html`<tbody>${rows}</tbody>`;
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${head}</tr></thead>
${body}</table></div>
`;
}

/** A row headed by its number. */
export function numberedRow(number: number, cells: readonly Html[]): Html {
  return html`<tr><th scope="row" class="ordinal">${number}</th>${cells}</tr>
`;
}

/** A row whose first cell heads it. */
export function row(heading: Content, cells: readonly Html[]): Html {
  return html`<tr><th scope="row">${heading}</th>${cells}</tr>
`;
}

export function textCell(content: Content): Html {
  return html`<td class="text">${content}</td>`;
}

/** Text of a sentence or more: its column stays wide enough to read on a phone, where the table then scrolls. */
export function longTextCell(content: Content): Html {
  return html`<td class="text long">${content}</td>`;
}

/** A figure, with what is behind it in small type under it. */
export function numberCell(figure: Content, detail: Content = ''): Html {
  const small = detail === '' ? NOTHING : html`<small>${detail}</small>`;
  return html`<td class="number">${figure}${small}</td>`;
}
