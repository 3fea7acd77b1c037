import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** X.509 certificates for tests, as DER (RFC 5280), made anew: no expiry to wait for, no tool to have. */
export interface Certificate {
  readonly certificate: Buffer;
  readonly key: Buffer;
  readonly name: string;
}

export interface CertificateOptions {
  /** Common name of the subject. */
  readonly name: string;
  /** Whose signature it carries. @default its own */
  readonly by?: Certificate;
  readonly isAuthority?: boolean;
  readonly dns?: readonly string[];
  readonly uris?: readonly string[];
  /** @default both */
  readonly use?: 'server' | 'client';
  readonly fromMs?: number;
  readonly untilMs?: number;
}

const HOUR_MS = 3_600_000;
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const USES = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' };

export function makeCertificate(options: CertificateOptions): Certificate {
  const { name, by, isAuthority = false, dns = [], uris = [], use } = options;
  const { fromMs = Date.now() - HOUR_MS, untilMs = Date.now() + HOUR_MS } = options;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer: KeyObject = by === undefined ? privateKey : createPrivateKey(by.key);
  const names = [
    ...dns.map((one) => der(0x82, Buffer.from(one))),
    ...uris.map((one) => der(0x86, Buffer.from(one))),
  ];
  const extensions = sequence(
    extension('2.5.29.19', sequence(...(isAuthority ? [der(0x01, Buffer.from([0xff]))] : [])), true),
    // keyCertSign and cRLSign, or digitalSignature.
    extension('2.5.29.15', der(0x03, Buffer.from(isAuthority ? [1, 0x06] : [7, 0x80])), true),
    ...(isAuthority
      ? []
      : [extension('2.5.29.37', sequence(...(use ? [USES[use]] : Object.values(USES)).map(oid)))]),
    ...(names.length === 0 ? [] : [extension('2.5.29.17', sequence(...names))]),
  );
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    distinguishedName(by?.name ?? name),
    sequence(time(fromMs), time(untilMs)),
    distinguishedName(name),
    publicKey.export({ format: 'der', type: 'spki' }),
    der(0xa3, extensions),
  );
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', body, signer)]));
  const encoded = sequence(body, algorithm, signature).toString('base64');
  return {
    name,
    certificate: Buffer.from(
      `-----BEGIN CERTIFICATE-----\n${encoded.match(/.{1,64}/g)!.join('\n')}\n-----END CERTIFICATE-----\n`,
    ),
    key: Buffer.from(privateKey.export({ format: 'pem', type: 'pkcs8' })),
  };
}

function der(tag: number, content: Buffer): Buffer {
  const length =
    content.length < 128
      ? [content.length]
      : content.length < 256
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const sequence = (...parts: Buffer[]): Buffer => der(0x30, Buffer.concat(parts));

function oid(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split('.').map(Number);
  const bytes = [first! * 40 + second!];
  for (const part of rest) {
    const digits = [part & 0x7f];
    for (let left = part >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return der(0x06, Buffer.from(bytes));
}

const extension = (id: string, value: Buffer, critical = false): Buffer =>
  sequence(oid(id), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));

const distinguishedName = (name: string): Buffer =>
  sequence(der(0x31, sequence(oid('2.5.4.3'), der(0x0c, Buffer.from(name)))));

/** GeneralizedTime, which may stand for any year. */
const time = (ms: number): Buffer =>
  der(0x18, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));
