import { type Html, html, render } from '../text/html.ts';
import { type Section, sectionHtml } from './layout.ts';
import { STYLE } from './style.ts';

interface Page {
  readonly title: string;
  readonly heading: Html;
  /** What stands between the heading and the first section. */
  readonly lead: Html;
  readonly sections: readonly Section[];
  /** Last line. */
  readonly colophon: string;
}

/** Nothing may be fetched or run: styles are inline, the only image is the empty icon. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** A whole document. */
export function page({ title, heading, lead, sections, colophon }: Page): string {
  const links = sections.map(({ id, title: text }) => html`<li><a href="#${id}">${text}</a></li>`);
  return render(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:,">
${STYLE}
</head>
<body>
<main>
<header>
<h1>${heading}</h1>
${lead}
</header>
<nav aria-label="Sections"><ul>${links}</ul></nav>
${sections.map(sectionHtml)}
<footer><p>${colophon}. This report gives gaps, supports and the threshold used; what they mean for a use of the model is for people to judge.</p></footer>
</main>
</body>
</html>
`);
}
