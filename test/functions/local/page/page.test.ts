import { describe, expect, it } from 'vitest';
import { appPage, loginPage } from '../../../../functions/local/page/page.ts';
import { useServers } from '../serving.ts';

const { serve } = useServers();

/** Ids of a document, in order. */
const idsIn = (document: string) => [...document.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!);

describe('the page', () => {
  it('has one place for each id, and a place for each id that it speaks of', () => {
    const page = appPage({ nonce: 'n', canLogOut: true });
    const ids = idsIn(page);
    expect(new Set(ids).size).toBe(ids.length);
    const named = [
      ...page.matchAll(/(?: for| aria-describedby| aria-labelledby| list|href)="#?([a-z][\w-]*)"/g),
      ...page.matchAll(/byId\('([\w-]+)'\)/g),
    ].map(([, id]) => id!);
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((id) => !ids.includes(id))).toEqual([]);
  });

  it('offers a logout only where there was a login', () => {
    expect(appPage({ nonce: 'n', canLogOut: true })).toContain('Log out');
    expect(appPage({ nonce: 'n', canLogOut: false })).not.toContain('Log out');
  });

  it('loads nothing from anywhere', () => {
    for (const page of [appPage({ nonce: 'n', canLogOut: true }), loginPage({ nonce: 'n', refusal: null })]) {
      expect(page).not.toMatch(/https?:|\/\/[a-z]|@import|\burl\(| on[a-z]+=| style="/);
    }
  });

  it('runs under a policy that names its own script and style, which are others each time', async () => {
    const { url } = await serve();
    const nonces = await Promise.all(
      [1, 2].map(async () => {
        const answer = await fetch(url);
        const [, nonce] = /script-src 'nonce-([\w+/=]+)';/.exec(
          answer.headers.get('content-security-policy')!,
        )!;
        const page = await answer.text();
        expect(page.split(`nonce="${nonce}"`)).toHaveLength(3); // one style, one script
        expect(page.match(/<(?:script|style)\b/g)).toHaveLength(2);
        return nonce;
      }),
    );
    expect(nonces[0]).not.toBe(nonces[1]);
  });
});

describe('the login form', () => {
  it('says why a token was not taken', () => {
    const saying = (refusal: 'wrong' | 'too-many' | null) => loginPage({ nonce: 'n', refusal });
    expect(saying('wrong')).toContain('This is not the token of this server.');
    expect(saying('too-many')).toContain('Wait a minute');
    expect(saying(null)).toContain('role="alert"></p>');
  });
});
