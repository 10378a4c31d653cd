import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Problem } from '../lib/problem.ts';

/** Half a day: a shift, not a week. */
const SESSION_SECONDS = 12 * 3600;
const COOKIE = 'counterweight';

export interface AccessOptions {
  /** null: whoever reaches the loopback address may do everything. */
  readonly token: string | null;
  /** Known to this root's servers only; a session outlives a restart by it. */
  readonly secret: string;
  /** Names under which a server without a token may be spoken to, without port. */
  readonly hostnames: readonly string[];
  readonly now: () => Date;
}

export interface Caller {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}

/** Who may ask for what. */
export interface Access {
  /** Refuses what another site makes a browser send; null when nothing is wrong. */
  foreign(caller: Caller): Problem | null;
  /** Has the caller shown the token, or a session that a login began? */
  isKnown(caller: Caller): boolean;
  /** The Set-Cookie of a session; null for a wrong token. */
  login(token: string): string | null;
  logout(): string;
}

const problem = (status: number, code: string, message: string): Problem => ({ status, code, message });

export const UNKNOWN_CALLER = problem(
  401,
  'UNAUTHORIZED',
  'Authorization: expected the token of this server, received another or none',
);
const FOREIGN_HOST = problem(
  421,
  'FOREIGN_HOST',
  'Host: expected a name of this server, received another one',
);
const FOREIGN_ORIGIN = problem(403, 'FOREIGN_ORIGIN', 'Origin: expected this server, received another site');

export function makeAccess({ token, secret, hostnames, now }: AccessOptions): Access {
  const sign = (expires: string) =>
    // The token takes part, so that another token ends every session.
    createHmac('sha256', secret)
      .update(JSON.stringify(['session', expires, token]))
      .digest('hex');
  return {
    foreign({ method, headers }) {
      // Without a token a name that leads here by rebinding would make any web page a caller.
      if (token === null && !hostnames.includes(hostnameOf(headers.host))) return FOREIGN_HOST;
      if (method === 'GET') return null;
      return isOwnOrigin(headers) ? null : FOREIGN_ORIGIN;
    },
    isKnown({ headers }) {
      if (token === null) return true;
      const [, bearer] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
      if (bearer !== undefined) return isSame(bearer, token);
      const [expires = '', signature = ''] = cookieOf(headers).split('.');
      if (!/^\d{1,15}$/.test(expires) || !isSame(signature, sign(expires))) return false;
      return Number(expires) * 1000 > now().getTime();
    },
    login(given) {
      if (token === null || !isSame(given, token)) return null;
      const expires = String(Math.ceil(now().getTime() / 1000) + SESSION_SECONDS);
      return cookie(`${expires}.${sign(expires)}`, SESSION_SECONDS);
    },
    logout: () => cookie('', 0),
  };
}

function cookie(value: string, seconds: number): string {
  return `${COOKIE}=${value}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${seconds}`;
}

function cookieOf({ cookie: header = '' }: IncomingHttpHeaders): string {
  const pair = header.split(';').find((part) => part.trim().startsWith(`${COOKIE}=`));
  return pair?.trim().slice(COOKIE.length + 1) ?? '';
}

/** Programs name no origin; browsers do, and `null` is what they say of documents without one. */
function isOwnOrigin({ origin, host, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  if (origin === undefined) return true;
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}

function hostnameOf(host = ''): string {
  return host.toLowerCase().replace(/:\d*$/, '');
}

/** Takes the same time whatever differs. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
