import { describe, expect, it } from 'vitest';
import { type AccessOptions, type Caller, makeAccess } from '../../../functions/local/access.ts';
import { makeIsProxy } from '../../../functions/local/peers.ts';

const TOKEN = 'a-token-of-32-characters-exactly';

function accessWith(options: Partial<AccessOptions> = {}) {
  const clock = { ms: Date.UTC(2026, 2, 1) };
  const access = makeAccess({
    token: TOKEN,
    secret: 'secret',
    hostnames: ['localhost'],
    isProxy: () => false,
    now: () => new Date(clock.ms),
    ...options,
  });
  return { access, clock };
}

const caller = (headers: Caller['headers'], more: Partial<Caller> = {}): Caller => ({
  method: 'GET',
  headers,
  address: '192.0.2.1',
  ...more,
});
const bearer = (token: string, more: Partial<Caller> = {}) =>
  caller({ authorization: `Bearer ${token}` }, more);

function cookieOf(answer: ReturnType<ReturnType<typeof makeAccess>['login']>): string {
  if (!('cookie' in answer)) throw new Error('no cookie');
  return answer.cookie;
}

describe('a caller', () => {
  it('is known by the token alone, in full', () => {
    const { access } = accessWith();
    expect(access.refuse(bearer(TOKEN))).toBeNull();
    expect(access.refuse(caller({ authorization: `bearer  ${TOKEN}` }))).toBeNull();
    for (const wrong of [caller({}), bearer(`${TOKEN}x`), bearer(TOKEN.slice(1)), bearer('')]) {
      expect(access.refuse(wrong)).toMatchObject({ status: 401, code: 'UNAUTHORIZED' });
    }
    expect(accessWith({ token: null }).access.refuse(caller({}))).toBeNull();
  });

  it('who guesses too often is not listened to for a while; who has a session is', () => {
    const { access, clock } = accessWith();
    const session = cookieOf(access.login(TOKEN, caller({}))).split(';')[0]!;
    for (let tries = 0; tries < 10; tries += 1) expect(access.refuse(bearer(`${tries}`))!.status).toBe(401);
    expect(access.refuse(bearer(TOKEN))).toMatchObject({ status: 429, code: 'TOO_MANY_TRIES' });
    expect(access.login(TOKEN, caller({}))).toMatchObject({ status: 429 });
    expect(access.refuse(caller({ cookie: session }))).toBeNull();
    expect(access.refuse(caller({}))!.status).toBe(401);
    expect(access.refuse(bearer(TOKEN, { address: '192.0.2.2' }))).toBeNull();
    clock.ms += 60_000;
    expect(access.refuse(bearer(TOKEN))).toBeNull();
  });

  it('behind a proxy is told from others by what the proxy adds, and not by what a caller says', () => {
    const from = (forwarded: string) => ({ authorization: 'Bearer x', 'x-forwarded-for': forwarded });
    const local = { address: '127.0.0.1' };
    const proxied = accessWith({ isProxy: makeIsProxy() }).access;
    for (let tries = 0; tries < 10; tries += 1)
      proxied.refuse(caller(from(`10.0.0.${tries}, 198.51.100.7`), local));
    expect(proxied.refuse(caller(from('198.51.100.8'), local))!.status).toBe(401);
    expect(proxied.refuse(caller(from('10.0.0.99, 198.51.100.7'), local))!.status).toBe(429);
    const direct = accessWith().access;
    for (let tries = 0; tries < 10; tries += 1) direct.refuse(caller(from(`198.51.100.${tries}`), local));
    expect(direct.refuse(caller(from('198.51.100.99'), local))!.status).toBe(429);
  });

  it.each(['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1', 'fe80::1', ''])(
    'who comes from %j and not through the proxy is told by that, whatever it says of itself',
    (address) => {
      const { access } = accessWith({ isProxy: makeIsProxy() });
      const from = (forwarded: string) =>
        caller({ authorization: 'Bearer x', 'x-forwarded-for': forwarded }, { address });
      for (let tries = 0; tries < 10; tries += 1) access.refuse(from(`198.51.100.${tries}`));
      expect(access.refuse(from('198.51.100.99'))!.status).toBe(429);
    },
  );

  it.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])(
    'the proxy of this machine is believed at %s',
    (address) => {
      const { access } = accessWith({ isProxy: makeIsProxy() });
      const from = (forwarded: string) =>
        caller({ authorization: 'Bearer x', 'x-forwarded-for': forwarded }, { address });
      for (let tries = 0; tries < 20; tries += 1) {
        expect(access.refuse(from(`198.51.100.${tries}`))!.status).toBe(401);
      }
    },
  );
});

describe('a session', () => {
  it('begins with the token, lasts half a day, and outlives a restart with the same secret and token', () => {
    const { access, clock } = accessWith();
    expect(access.login('wrong', caller({}))).toMatchObject({ status: 401 });
    const cookie = cookieOf(access.login(TOKEN, caller({})));
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict; Path=\/; Max-Age=43200$/);
    const shown = caller({ cookie: `a=b; ${cookie.split(';')[0]}` });
    expect(access.refuse(shown)).toBeNull();
    expect(accessWith().access.refuse(shown)).toBeNull();
    expect(accessWith({ secret: 'another' }).access.refuse(shown)).not.toBeNull();
    expect(accessWith({ token: `${TOKEN}2` }).access.refuse(shown)).not.toBeNull();
    clock.ms += 43_200_000 - 1;
    expect(access.refuse(shown)).toBeNull();
    clock.ms += 1;
    expect(access.refuse(shown)).not.toBeNull();
  });

  it('cannot be made longer', () => {
    const { access, clock } = accessWith();
    const [name, value] = cookieOf(access.login(TOKEN, caller({})))
      .split(';')[0]!
      .split('=') as [string, string];
    const [expires, signature] = value.split('.') as [string, string];
    clock.ms += 43_200_000;
    for (const forged of [`${Number(expires) + 1}.${signature}`, `${expires}0.${signature}`, `9999999999.`]) {
      expect(access.refuse(caller({ cookie: `${name}=${forged}` }))).not.toBeNull();
    }
  });

  it('goes over TLS only where browsers come by TLS, and is taken away by a logout', () => {
    const over = (publicUrl: string) => {
      const { access } = accessWith({ publicUrl });
      return [cookieOf(access.login(TOKEN, caller({}))), access.logout()];
    };
    for (const cookie of over('https://fair.example')) expect(cookie).toMatch(/; Secure$/);
    for (const cookie of over('http://fair.example')) expect(cookie).not.toContain('Secure');
    expect(over('http://fair.example')[1]).toBe(
      'counterweight=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0',
    );
  });
});

describe('a foreign request', () => {
  it.each<[string, Caller['headers'], string | null]>([
    ['none', { host: 'localhost:8080' }, null],
    ['its own', { host: 'localhost:8080', origin: 'http://localhost:8080' }, null],
    ['another port', { host: 'localhost:8080', origin: 'http://localhost:8081' }, 'FOREIGN_ORIGIN'],
    ['another site', { host: 'localhost', origin: 'https://evil.example' }, 'FOREIGN_ORIGIN'],
    ['no site at all', { host: 'localhost', origin: 'null' }, 'FOREIGN_ORIGIN'],
    [
      'a site that is told otherwise',
      { host: 'localhost', 'sec-fetch-site': 'cross-site' },
      'FOREIGN_ORIGIN',
    ],
    ['the public address', { host: 'localhost:8080', origin: 'https://fair.example' }, null],
  ])('is told by the origin: %s', (_, headers, code) => {
    const { access } = accessWith({ publicUrl: 'https://fair.example' });
    expect(access.foreign(caller(headers, { method: 'POST' }))?.code ?? null).toBe(code);
    expect(access.foreign(caller(headers))).toBeNull();
  });

  it('without a token is told by the name under which the server is spoken to', () => {
    const { access } = accessWith({ token: null });
    expect(access.foreign(caller({ host: 'LOCALHOST:8080' }))).toBeNull();
    expect(access.foreign(caller({ host: 'rebound.example' }))).toMatchObject({ status: 421 });
    expect(access.foreign(caller({}))).toMatchObject({ status: 421 });
  });
});
