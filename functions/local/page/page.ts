import { NEW_JOB } from './new-job.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

interface DocumentParts {
  readonly nonce: string;
  readonly body: string;
  readonly script?: string;
}

/** @param parts  of this program only; nothing that a user wrote goes into a page on the server */
function documentOf({ nonce, body, script }: DocumentParts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Counterweight</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
${body}
${script === undefined ? '' : `<script nonce="${nonce}">${script}</script>`}
</body>
</html>
`;
}

const LOGOUT = '<form method="post" action="/logout"><button class="quiet">Log out</button></form>';

const NAV =
  '<nav aria-label="On this page"><a href="#uploads-heading" id="to-uploads" hidden>Uploads that wait</a> <a href="#audits-heading">Scheduled audits<span id="wrong-audits"></span></a> <a href="#jobs-heading">Jobs</a></nav>';

/** What nobody else tells of comes first; the list of jobs is long and comes last. */
const LISTS = `<div class="lists">
<section id="uploads" aria-labelledby="uploads-heading" hidden>
<h2 id="uploads-heading">Uploads that wait or were refused</h2>
<ul id="open-uploads" aria-labelledby="uploads-heading"></ul>
</section>
<section aria-labelledby="audits-heading">
<h2 id="audits-heading">Scheduled audits</h2>
<ul id="definitions" aria-label="Definitions of scheduled audits"></ul>
<p class="empty" id="no-audits" hidden>None yet. A file in the folder definitions/ says what to audit, how often, and what every audit must show.</p>
<details id="all-audits" hidden>
<summary id="all-audits-text"></summary>
<ul id="audits" aria-label="Scheduled audits, the newest first"></ul>
</details>
</section>
<section aria-labelledby="jobs-heading">
<h2 id="jobs-heading">Jobs</h2>
<p class="say" id="jobs-say" role="status"></p>
<ul id="jobs" aria-label="Jobs, the newest first"></ul>
<p class="empty" id="no-jobs" hidden>No jobs yet. What you start appears here, with its progress and then its report.</p>
<button type="button" class="quiet" id="more" hidden>Show older jobs</button>
</section>
</div>`;

/** The page that starts and cancels jobs, lists them with their progress, and opens reports. */
export function appPage({
  nonce,
  canLogOut,
}: {
  readonly nonce: string;
  readonly canLogOut: boolean;
}): string {
  const body = `<main>
<header><h1>Counterweight</h1>${NAV}${canLogOut ? LOGOUT : ''}</header>
<noscript><p class="say bad">This page needs JavaScript.</p></noscript>
<p class="say bad" id="away" role="alert" hidden>The server does not answer; what is shown may be old.</p>
<div class="columns">
${NEW_JOB}
${LISTS}
</div>
</main>`;
  return documentOf({ nonce, body, script: SCRIPT });
}

const REFUSALS = {
  wrong: 'This is not the token of this server.',
  'too-many': 'Too many wrong tokens came from here. Wait a minute, then try again.',
} as const;

/** The form that asks for the token. */
export function loginPage({
  nonce,
  refusal,
}: {
  readonly nonce: string;
  /** Why the last one was not taken; null before the first. */
  readonly refusal: keyof typeof REFUSALS | null;
}): string {
  const body = `<main>
<form class="panel login" method="post" action="/login">
<h1>Counterweight</h1>
<p class="hint" id="token-hint">This server asks for a token. Whoever runs it can tell you.</p>
<label>Token<input name="token" type="password" required autocomplete="current-password" aria-describedby="token-hint"></label>
<button>Log in</button>
<p class="say bad" role="alert">${refusal === null ? '' : REFUSALS[refusal]}</p>
</form>
</main>`;
  return documentOf({ nonce, body });
}
