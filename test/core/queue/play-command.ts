import path from 'node:path';

/** Starts play-worker.mjs. */
export const PLAY_COMMAND = [process.execPath, path.join(import.meta.dirname, 'play-worker.mjs')] as const;
