import packageJson from '../package.json' with { type: 'json' };

/** Version of this product, as reports name it. */
export const VERSION: string = packageJson.version;
