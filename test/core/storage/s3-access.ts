import type { UploadForm } from '../../../core/storage/object-store.ts';
import { makeS3Client, makeS3Store } from '../../../core/storage/s3-store.ts';
import type { Downloaded } from './object-store.contract.ts';

export const BUCKET = 'test-bucket';

export interface Access {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly maxAttempts?: number;
}

export const clientOf = (access: Access) =>
  makeS3Client({ region: 'us-east-1', forcePathStyle: true, ...access });

export const storeOf = (access: Access) => makeS3Store(clientOf(access), { bucket: BUCKET });

/** Follows a URL as a browser does; null when it is refused. */
export async function download(url: string): Promise<Downloaded | null> {
  const response = await fetch(url);
  if (!response.ok) return null;
  const header = response.headers.get('content-disposition') ?? '';
  const [, encoded] = /^attachment; filename="[ -~]*"; filename\*=UTF-8''(\S+)$/.exec(header) ?? [];
  const filename = encoded === undefined ? null : decodeURIComponent(encoded);
  return { body: await response.text(), filename };
}

/** Posts a form as a browser does, its file last; false when it is refused. */
export async function post({ url, fields }: UploadForm, file: Uint8Array): Promise<boolean> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('file', new Blob([new Uint8Array(file)]), 'data.csv');
  return (await fetch(url, { method: 'POST', body: form })).ok;
}
