import { createHash } from 'node:crypto';
import { ENGLISH, type Language } from '../language/language.ts';
import { type Html, html, NOTHING, render } from '../text/html.ts';
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
  readonly language?: Language;
  /** Text of the one script that may run; the page must say the same without it. */
  readonly script?: Html;
}

/** Nothing may be fetched: styles are inline, the only image is the empty icon. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** What a policy says to let this script run and no other. */
export function scriptSource(script: Html): string {
  return `script-src 'sha256-${createHash('sha256').update(render(script)).digest('base64')}'`;
}

/** A whole document. */
export function page({ title, heading, lead, sections, colophon, language = ENGLISH, script }: Page): string {
  const { t, code } = language;
  const policy = script === undefined ? POLICY : `${POLICY}; ${scriptSource(script)}`;
  const links = sections.map(({ id, title: text }) => html`<li><a href="#${id}">${text}</a></li>`);
  return render(html`<!doctype html>
<html lang="${code}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
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
<nav aria-label="${t.sections}"><ul>${links}</ul></nav>
${sections.map(sectionHtml)}
<footer><p>${colophon}. ${t.footer}</p></footer>
</main>
${
  script === undefined
    ? NOTHING
    : html`<script>${script}</script>
`
}</body>
</html>
`);
}
