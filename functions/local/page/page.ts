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

const JOBS = `<section aria-labelledby="jobs-heading">
<h2 id="jobs-heading">Jobs</h2>
<p class="say bad" id="away" role="alert" hidden>The server does not answer; what is shown may be old.</p>
<ul id="jobs" aria-label="Jobs, the newest first"></ul>
<p class="empty" id="no-jobs" hidden>No jobs yet. Submit one below, or put files with a counterweight.json below uploads/.</p>
</section>
<section aria-labelledby="audits-heading">
<h2 id="audits-heading">Scheduled audits</h2>
<ul id="audits" aria-label="Scheduled audits, the newest first"></ul>
<p class="empty" id="no-audits" hidden>None yet. Files below definitions/ say what to audit, and how often.</p>
</section>`;

const SUBMIT = `<section aria-labelledby="submit-heading">
<h2 id="submit-heading">Submit a job</h2>
<p class="empty" id="no-inputs" hidden>No table lies below uploads/ yet.</p>
<form class="panel" id="choose">
<div class="fields">
<label>What to do<select id="kind" name="kind">
<option value="audit">Audit a table of predictions</option>
<option value="model-audit">Audit a model</option>
<option value="mitigation">Mitigate a model</option>
</select></label>
<label>Table or manifest<select id="table" name="table" required></select></label>
<label hidden>Model folder<select id="model" name="model"></select></label>
<label>Column of the label<input id="label" name="label" required autocomplete="off" spellcheck="false"></label>
<label>Columns of the groups <small>separated by commas</small><input id="groups" name="groups" required autocomplete="off" spellcheck="false"></label>
<label>Column of the score<input id="score" name="score" autocomplete="off" spellcheck="false"></label>
</div>
<button>Submit</button>
</form>
<details>
<summary>Paste a job request instead</summary>
<form class="panel" id="paste">
<div class="fields"><label>Job request <small>JSON</small><textarea id="request" required spellcheck="false"></textarea></label></div>
<button>Submit request</button>
</form>
</details>
<p class="say" id="say" role="status"></p>
</section>`;

/** The page that lists jobs and audits, opens reports, submits and cancels. */
export function appPage({
  nonce,
  canLogOut,
}: {
  readonly nonce: string;
  readonly canLogOut: boolean;
}): string {
  const body = `<main>
<header><h1>Counterweight</h1>${canLogOut ? LOGOUT : ''}</header>
${JOBS}
${SUBMIT}
</main>`;
  return documentOf({ nonce, body, script: SCRIPT });
}

/** The form that asks for the token. */
export function loginPage({
  nonce,
  isRefused = false,
}: {
  readonly nonce: string;
  readonly isRefused?: boolean;
}): string {
  const body = `<main>
<form class="panel login" method="post" action="/login">
<h1>Counterweight</h1>
<p></p>
<div class="fields"><label>Token<input name="token" type="password" required autocomplete="current-password"></label></div>
<button>Log in</button>
<p class="say bad" role="alert">${isRefused ? 'This is not the token of this server.' : ''}</p>
</form>
</main>`;
  return documentOf({ nonce, body });
}
