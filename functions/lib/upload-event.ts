import { z } from 'zod';

const recordSchema = z.object({
  eventSource: z.literal('aws:s3'),
  eventName: z.string().startsWith('ObjectCreated:'),
  s3: z.object({ object: z.object({ key: z.string() }) }),
});

/** Straight from the bucket: keys are form-encoded. Records of other kinds may stand between ours. */
const notificationSchema = z.object({ Records: z.array(z.unknown()) });

/** By way of EventBridge: the key is as it is. */
const bridgeSchema = z.object({
  source: z.literal('aws.s3'),
  'detail-type': z.literal('Object Created'),
  detail: z.object({ object: z.object({ key: z.string() }) }),
});

/** Keys of the objects that an event says were created, each once; none when it is another event. */
export function uploadedKeys(event: unknown): string[] {
  const bridged = bridgeSchema.safeParse(event);
  if (bridged.success) return [bridged.data.detail.object.key];
  const notified = notificationSchema.safeParse(event);
  const records = notified.success ? notified.data.Records : [];
  const keys = records.flatMap((record) => {
    const { success, data } = recordSchema.safeParse(record);
    const key = success ? decodeKey(data.s3.object.key) : null;
    return key === null ? [] : [key];
  });
  return [...new Set(keys)];
}

/** null for what no S3 ever encoded. */
function decodeKey(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    return null;
  }
}
