import { createHash } from 'node:crypto';
import type { UploadForm } from '../../../core/storage/object-store.ts';
import { contentDisposition } from '../../../core/storage/store-input.ts';
import { makeMemoryStore } from '../../helpers/memory-store.ts';
import { textOf } from './contract-parts.ts';
import { describeObjectStore } from './object-store.contract.ts';

const store = makeMemoryStore();

/** What a server would do with a URL of the store, which names no key but its digest. */
async function download(url: string) {
  const [, digest, filename] = /^memory:\/\/download\/(\w+)\?seconds=\d+&filename=(.*)$/.exec(url) ?? [];
  const key = store.keys().find((each) => createHash('md5').update(each).digest('hex') === digest);
  if (key === undefined || filename === undefined) return null;
  const [, encoded] = /UTF-8''(\S+)$/.exec(contentDisposition(filename))!;
  return {
    body: await textOf(store, key),
    filename: filename === 'undefined' ? null : decodeURIComponent(encoded!),
  };
}

/** What it would do with a form: each form is good for what it was made for only. */
async function post({ fields }: UploadForm, file: Uint8Array): Promise<boolean> {
  const [, maxBytes] = fields.policy!.split(' ').map(Number);
  if (file.length > maxBytes! || fields['Content-Type'] !== 'text/csv' || !fields.key!.endsWith('a.csv')) {
    return false;
  }
  await store.write(fields.key!, file);
  return true;
}

/** Tests of jobs and handlers run on it, so it must behave as the others do. */
describeObjectStore('memory store', { makeStore: () => store, download, post });
