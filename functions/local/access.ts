import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import type { Problem } from '../lib/problem.ts';
import { makeThrottle } from './throttle.ts';

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
  /** Where browsers find the server, when a proxy stands before it. */
  readonly publicUrl?: string | undefined;
  /** Is what the other end of a connection says of its clients' addresses true? */
  readonly isProxy: (address: string) => boolean;
  readonly now: () => Date;
}

export interface Caller {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** Of the other end of the connection. */
  readonly address: string;
}

/** Who may ask for what. */
export interface Access {
  /** Refuses what another site makes a browser send; null when nothing is wrong. */
  foreign(caller: Caller): Problem | null;
  /** null for a caller who shows the token, or a session that a login began. */
  refuse(caller: Caller): Problem | null;
  /** The Set-Cookie of a session, or why there is none. */
  login(token: string, caller: Caller): { readonly cookie: string } | Problem;
  logout(): string;
}

const problem = (status: number, code: string, message: string): Problem => ({ status, code, message });

const UNKNOWN_CALLER = problem(
  401,
  'UNAUTHORIZED',
  'Authorization: expected the token of this server, received another or none',
);
const TOO_MANY_TRIES = problem(
  429,
  'TOO_MANY_TRIES',
  'Authorization: expected the token of this server, received too many others from this address; wait a minute',
);
const FOREIGN_HOST = problem(
  421,
  'FOREIGN_HOST',
  'Host: expected a name of this server, received another one',
);
const FOREIGN_ORIGIN = problem(403, 'FOREIGN_ORIGIN', 'Origin: expected this server, received another site');

export function makeAccess(options: AccessOptions): Access {
  const { token, hostnames, publicUrl, isProxy, now } = options;
  const sessions = makeSessions(options);
  const throttle = makeThrottle({ now });
  const own = publicUrl === undefined ? null : new URL(publicUrl);
  /** A guess that comes too early is not even looked at. */
  const refuseToken = (given: string, caller: Caller): Problem | null => {
    const address = addressOf(caller, isProxy);
    if (throttle.isClosed(address)) return TOO_MANY_TRIES;
    if (token !== null && isSame(given, token)) return null;
    throttle.note(address);
    return UNKNOWN_CALLER;
  };
  return {
    foreign({ method, headers }) {
      // Without a token a name that leads here by rebinding would make any web page a caller.
      if (token === null && !hostnames.includes(hostnameOf(headers.host))) return FOREIGN_HOST;
      if (method === 'GET') return null;
      return isOwnOrigin(headers, own) ? null : FOREIGN_ORIGIN;
    },
    refuse(caller) {
      if (token === null || sessions.isOpen(cookieOf(caller.headers))) return null;
      const [, bearer] = /^Bearer +(\S+) *$/i.exec(caller.headers.authorization ?? '') ?? [];
      return bearer === undefined ? UNKNOWN_CALLER : refuseToken(bearer, caller);
    },
    login(given, caller) {
      return refuseToken(given, caller) ?? { cookie: cookie(sessions.open(), SESSION_SECONDS, own) };
    },
    logout: () => cookie('', 0, own),
  };
}

/** Sessions are signed, not stored: their end, and a signature over it. */
function makeSessions({ token, secret, now }: AccessOptions) {
  const sign = (expires: string) =>
    // The token takes part, so that another token ends every session.
    createHmac('sha256', secret)
      .update(JSON.stringify(['session', expires, token]))
      .digest('hex');
  return {
    open(): string {
      const expires = String(Math.ceil(now().getTime() / 1000) + SESSION_SECONDS);
      return `${expires}.${sign(expires)}`;
    },
    isOpen(session: string): boolean {
      const [expires = '', signature = ''] = session.split('.');
      if (!/^\d{1,15}$/.test(expires) || !isSame(signature, sign(expires))) return false;
      return Number(expires) * 1000 > now().getTime();
    },
  };
}

/** Where browsers come by TLS, the cookie must never travel without it. */
function cookie(value: string, seconds: number, own: URL | null): string {
  const secure = own?.protocol === 'https:' ? '; Secure' : '';
  return `${COOKIE}=${value}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${seconds}${secure}`;
}

function cookieOf({ cookie: header = '' }: IncomingHttpHeaders): string {
  const pair = header.split(';').find((part) => part.trim().startsWith(`${COOKIE}=`));
  return pair?.trim().slice(COOKIE.length + 1) ?? '';
}

/**
 * Behind a proxy all callers have its address; the last name in the header is the one that the proxy added. Anybody
 * else could write another name for every guess.
 */
function addressOf({ address, headers }: Caller, isProxy: AccessOptions['isProxy']): string {
  const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',').at(-1)!.trim();
  return isProxy(address) && isIP(forwarded) !== 0 ? forwarded : address;
}

/**
 * Programs name no origin; browsers do, and `null` is what they say of documents without one. A proxy may put its own
 * name for this server into `Host`, so the public address counts as well.
 */
function isOwnOrigin(headers: IncomingHttpHeaders, own: URL | null): boolean {
  const { origin, host, 'sec-fetch-site': site } = headers;
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  const { host: name } = new URL(origin);
  return (host !== undefined && name === host.toLowerCase()) || name === own?.host;
}

function hostnameOf(host = ''): string {
  return host.toLowerCase().replace(/:\d*$/, '');
}

/** Takes the same time whatever differs. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
