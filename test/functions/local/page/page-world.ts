import { createContext, runInContext } from 'node:vm';

/** What the script finds of a page where there is none. */
const element = () => ({
  addEventListener() {},
  setAttribute() {},
  value: 'audit',
  textContent: '',
  options: [],
});

/**
 * Runs parts of the page's script in a world without a page, up to where they touch it.
 *
 * @returns the value of an expression in that world, by way of JSON, since its objects have other prototypes
 */
export function makePageWorld(script: string): <T>(code: string) => T {
  const context = createContext({
    FormData: class {
      readonly fields: Readonly<Record<string, string>>;
      constructor(fields: Readonly<Record<string, string>>) {
        this.fields = fields;
      }
      get(name: string) {
        return this.fields[name] ?? null;
      }
    },
    byId: element,
    document: { querySelectorAll: () => [] },
    setTimeout: () => 0,
  });
  runInContext(script, context);
  return <T>(code: string) => JSON.parse(runInContext(`JSON.stringify(${code})`, context) as string) as T;
}
