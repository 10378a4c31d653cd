import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Route } from '../../../functions/lib/route.ts';
import { ROUTES } from '../../../functions/lib/routes.ts';

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

describe('ROUTES', () => {
  it.each(Object.entries<Route>(ROUTES))(
    '%s has a handler in a file of its name, which names the route',
    (name, route) => {
      const file = path.join(import.meta.dirname, '../../../functions', `${kebab(name)}.ts`);
      expect(existsSync(file)).toBe(true);
      expect(readFileSync(file, 'utf8')).toContain(`/** ${route.method} ${route.path} */`);
    },
  );

  it('name no method and path twice', () => {
    const names = Object.values<Route>(ROUTES).map(({ method, path: at }) => `${method} ${at}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it('have a schema for each name in their path', () => {
    for (const { path: at, params } of Object.values<Route>(ROUTES)) {
      expect(at.includes('{')).toBe(params !== undefined);
    }
  });
});
