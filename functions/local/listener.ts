import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { AuditDeps } from '../lib/audit-deps.ts';
import { codeOf, type Problem, problemOf } from '../lib/problem.ts';
import { MAX_BODY_BYTES } from '../lib/request.ts';
import type { Access, Caller } from './access.ts';
import { type MatchApi, makeApi, toEvent } from './api.ts';
import { type Arrival, limitArrival } from './arrival.ts';
import { makeListDefinitions } from './listings/definitions.ts';
import { makeListUploads } from './listings/uploads.ts';
import { auditPage, listAudits, listColumns, listInputs, listJobInputs, makeUploadKeys } from './listings.ts';
import { DOCUMENT_POLICY, download, upload } from './objects.ts';
import { appPage, loginPage } from './page/page.ts';
import {
  htmlReply,
  jsonReply,
  problemReply,
  type Reply,
  readBody,
  redirect,
  send,
  TOO_LARGE,
} from './reply.ts';

export interface ListenerDeps extends AuditDeps {
  readonly access: Access;
  readonly signingKey: string;
  /** Folder of the store, for the lists of the page. */
  readonly root: string;
  /** Does a person have to log in? */
  readonly hasToken: boolean;
  /** For a request to come in full; only uploads with a signature may take longer. */
  readonly arrivalMs: number;
  /** Between two pieces of an upload, at most. */
  readonly pauseMs: number;
}

interface Call {
  readonly request: IncomingMessage;
  readonly url: URL;
  readonly requestId: string;
  readonly arrival: Arrival;
  /** Groups of the path. */
  readonly params: Readonly<Record<string, string>>;
}

interface Address {
  readonly method: 'GET' | 'POST';
  readonly path: RegExp;
  /** In the log, instead of the path. */
  readonly name: string;
  /** For callers who are known; else signatures or the answer itself keep what is inside. */
  readonly isPrivate: boolean;
  readonly answer: (call: Call) => Promise<Reply>;
}

const LOGIN_BYTES = 4096;

const NOT_FOUND = { status: 404, code: 'NOT_FOUND', message: 'path: expected one of this server' };
const NOT_A_METHOD = { status: 405, code: 'NOT_A_METHOD', message: 'method: expected one of this path' };
const NOT_WHOLE = { status: 400, code: 'ABORTED', message: 'body: expected all of it, received a part' };
const NOT_A_URL = { status: 400, code: 'INVALID_INPUT', message: 'path: expected one that can be decoded' };

/** Answers every request of the server: the API, signed objects, and what the page needs. */
export function makeListener(deps: ListenerDeps): RequestListener {
  const addresses = addressesOf(deps);
  const api = makeApi(deps);
  return async (request, response) => {
    const start = deps.now().getTime();
    const requestId = randomUUID();
    const arrival = limitArrival(request, response, deps.arrivalMs);
    const { name, reply, code } = await answer({ deps, addresses, api }, { request, requestId, arrival });
    const headers = { 'x-request-id': requestId, ...reply.headers };
    const wasSent = await send(request, response, { ...reply, headers }).then(
      () => true,
      () => response.destroy() && false,
    );
    // Handlers of the API log by themselves.
    if (name === null && wasSent) return;
    deps.telemetry.log(reply.status >= 500 ? 'error' : 'info', wasSent ? 'request' : 'answer not sent', {
      requestId,
      route: name ?? 'api',
      status: reply.status,
      ...(code !== undefined && { code }),
      durationMs: deps.now().getTime() - start,
    });
  };
}

interface Answered {
  /** What the log calls the address; null where a handler has logged. */
  readonly name: string | null;
  readonly reply: Reply;
  readonly code?: string;
}

interface Site {
  readonly deps: ListenerDeps;
  readonly addresses: readonly Address[];
  readonly api: MatchApi;
}

async function answer(site: Site, call: Omit<Call, 'url' | 'params'>): Promise<Answered> {
  const { request, requestId } = call;
  const name = request.method ?? '';
  try {
    const foreign = site.deps.access.foreign(callerOf(request));
    if (foreign !== null) return { name, reply: problemReply(foreign, requestId), code: foreign.code };
    const url = urlOf(request);
    if (url === null) return { name, reply: problemReply(NOT_A_URL, requestId) };
    return (await own(site, { ...call, url })) ?? (await apiAnswer(site, { ...call, url }));
  } catch (error) {
    return failed(name, error, call);
  }
}

/** What went wrong, unless it is that the caller went away in the middle of the request. */
function failed(
  name: string,
  error: unknown,
  { request, requestId }: Pick<Call, 'request' | 'requestId'>,
): Answered {
  if (request.destroyed && !request.complete) {
    return { name, reply: problemReply(NOT_WHOLE, requestId), code: NOT_WHOLE.code };
  }
  return { name, reply: problemReply(problemOf(error), requestId), code: codeOf(error) };
}

/** The path is read as it is, so that `//host/…` names no host. */
function urlOf({ url = '' }: IncomingMessage): URL | null {
  const text = `http://local${url}`;
  return url.startsWith('/') && URL.canParse(text) ? new URL(text) : null;
}

/** An address that is not the API's; null when the path is none of them. */
async function own({ deps, addresses }: Site, call: Omit<Call, 'params'>): Promise<Answered | null> {
  const { request, url, requestId } = call;
  const fitting = addresses.filter(({ path }) => path.test(url.pathname));
  if (fitting.length === 0) return null;
  const found = fitting.find(({ method }) => method === request.method);
  if (found === undefined) return { name: fitting[0]!.name, reply: refuseMethod(fitting, requestId) };
  const { name, isPrivate, path } = found;
  const refusal = isPrivate ? deps.access.refuse(callerOf(request)) : null;
  if (refusal !== null) return { name, reply: problemReply(refusal, requestId), code: refusal.code };
  const params = path.exec(url.pathname)?.groups ?? {};
  try {
    return { name, reply: await found.answer({ ...call, params }) };
  } catch (error) {
    return failed(name, error, call);
  }
}

async function apiAnswer({ deps, api }: Site, call: Omit<Call, 'params'>): Promise<Answered> {
  const { request, url, requestId } = call;
  const method = request.method ?? '';
  // Before anything else, so that a stranger does not learn which paths there are.
  const refusal = deps.access.refuse(callerOf(request));
  if (refusal !== null) return { name: method, reply: problemReply(refusal, requestId), code: refusal.code };
  const match = api(method, url.pathname);
  if (match === null) return { name: method, reply: problemReply(NOT_FOUND, requestId) };
  if ('allow' in match) {
    return {
      name: method,
      reply: refuseMethod(
        match.allow.map((name) => ({ method: name })),
        requestId,
      ),
    };
  }
  const body = await readBody(request, MAX_BODY_BYTES);
  if (body === null) return { name: method, reply: problemReply(TOO_LARGE, requestId) };
  const event = toEvent({ method, url, headers: request.headers, body, requestId }, match.params);
  const { statusCode: status, ...response } = await match.handler(event);
  return { name: null, reply: { status, ...response } };
}

function callerOf({ method = '', headers, socket }: IncomingMessage): Caller {
  return { method, headers, address: socket.remoteAddress ?? '' };
}

function refuseMethod(fitting: readonly { readonly method: string }[], requestId: string): Reply {
  const reply = problemReply(NOT_A_METHOD, requestId);
  const allow = fitting.map(({ method }) => method).join(', ');
  return { ...reply, headers: { ...reply.headers, allow } };
}

function addressesOf(deps: ListenerDeps): Address[] {
  const { store, access, root } = deps;
  const address = (
    name: `${Address['method']} /${string}`,
    answer: Address['answer'],
    { isPrivate = false, path = patternOf(name) } = {},
  ): Address => ({ method: name.startsWith('GET') ? 'GET' : 'POST', path, name, isPrivate, answer });
  const isPrivate = true;
  const listDefinitions = makeListDefinitions(deps, root);
  const uploadKeys = makeUploadKeys(root);
  const listUploads = makeListUploads(deps, root, uploadKeys);
  return [
    address('GET /', async ({ request }) => homePage(deps, request)),
    address('GET /health', async () => jsonReply(200, { status: 'ok' })),
    address('POST /login', (call) => login(deps, call)),
    address('POST /logout', async () => redirect('/', { 'set-cookie': access.logout() })),
    address('GET /download', (call) => download(deps, call)),
    address('POST /upload', (call) => upload(deps, call)),
    address('GET /local/inputs', async () => jsonReply(200, await listInputs(root, await uploadKeys())), {
      isPrivate,
    }),
    address('GET /local/jobs', async () => jsonReply(200, { jobs: await listJobInputs(store) }), {
      isPrivate,
    }),
    address('GET /local/definitions', async () => jsonReply(200, { definitions: await listDefinitions() }), {
      isPrivate,
    }),
    address('GET /local/uploads', async () => jsonReply(200, { uploads: await listUploads() }), {
      isPrivate,
    }),
    address('GET /local/columns', (call) => columns(deps, call), { isPrivate }),
    address('GET /local/audits', async () => jsonReply(200, { audits: await listAudits(root, store) }), {
      isPrivate,
    }),
    address(
      'GET /local/audits/{name}/{time}',
      async ({ params: { definition = '', time = '' }, requestId }) => {
        const page = await auditPage(store, { definition, time });
        return page === null ? problemReply(NOT_FOUND, requestId) : htmlReply(200, page, DOCUMENT_POLICY);
      },
      { isPrivate, path: /^\/local\/audits\/(?<definition>[a-z0-9-]+)\/(?<time>\d{8}T\d{6}Z)$/ },
    ),
  ];
}

function patternOf(name: string): RegExp {
  return new RegExp(`^${name.slice(name.indexOf('/'))}$`);
}

async function columns({ store }: ListenerDeps, { url }: Call): Promise<Reply> {
  return jsonReply(200, { columns: await listColumns(store, url.searchParams.get('table') ?? '') });
}

function homePage({ access, hasToken }: ListenerDeps, request: IncomingMessage): Reply {
  const nonce = randomBytes(16).toString('base64');
  if (access.refuse(callerOf(request)) !== null) {
    return htmlReply(401, loginPage({ nonce, refusal: null }), policyWith(nonce));
  }
  return htmlReply(200, appPage({ nonce, canLogOut: hasToken }), policyWith(nonce));
}

async function login({ access }: ListenerDeps, { request, requestId }: Call): Promise<Reply> {
  const body = await readBody(request, LOGIN_BYTES);
  if (body === null) return problemReply(TOO_LARGE, requestId);
  const token = new URLSearchParams(body.toString('utf8')).get('token') ?? '';
  const answer = access.login(token, callerOf(request));
  if ('cookie' in answer) return redirect('/', { 'set-cookie': answer.cookie });
  const nonce = randomBytes(16).toString('base64');
  const { headers } = problemReply(answer, requestId);
  const reply = htmlReply(answer.status, loginPage({ nonce, refusal: refusalOf(answer) }), policyWith(nonce));
  return { ...reply, headers: { ...headers, ...reply.headers } };
}

/** A login form's own words for it. */
function refusalOf({ status }: Problem): 'wrong' | 'too-many' {
  return status === 429 ? 'too-many' : 'wrong';
}

/** Scripts and styles of this very answer, requests to this server, and nothing else. */
function policyWith(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "form-action 'self'",
    'img-src data:',
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
