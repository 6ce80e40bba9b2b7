/** A device with passkeys, made of nothing but node:crypto: ES256, `none` attestation, resident keys (WebAuthn §6). */
import { createHash, createSign, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';

/** How an answer differs from an honest one. */
export type Lies = {
  readonly origin?: string;
  readonly rpId?: string;
  readonly type?: string;
  readonly challenge?: string;
  /** The person was verified; true unless said. */
  readonly verified?: boolean;
  readonly present?: boolean;
  /** Presented instead of the next. */
  readonly counter?: number;
  readonly userHandle?: string | null;
  /** Signs something else. */
  readonly forged?: boolean;
  /** Another credential's id. */
  readonly id?: string;
};

export type Credential = { readonly id: string; readonly rpId: string; readonly userHandle: string; readonly key: KeyObject; counter: number };

/** Options as servers send them. */
type CreationOptions = { readonly challenge: string; readonly rp: { readonly id: string }; readonly user: { readonly id: string } };
type RequestOptions = { readonly challenge: string; readonly rpId: string };

const UP = 0x01;
const UV = 0x04;
const BE = 0x08;
const BS = 0x10;
const AT = 0x40;

/** @param origin of the page @param synced passkeys are backed up elsewhere @param counts signatures are counted */
export class Authenticator {
  readonly origin: string;
  readonly synced: boolean;
  readonly counts: boolean;
  readonly credentials: Credential[] = [];

  constructor(origin: string, options: { readonly synced?: boolean; readonly counts?: boolean } = {}) {
    this.origin = origin;
    this.synced = options.synced ?? false;
    this.counts = options.counts ?? true;
  }

  /** Answers `navigator.credentials.create()`. @param json options @returns the credential as JSON */
  create(json: string, lies: Lies = {}): string {
    const options = JSON.parse(json) as CreationOptions;
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const id = randomBytes(32);
    const credential: Credential = { id: id.toString('base64url'), rpId: options.rp.id, userHandle: options.user.id, key: privateKey, counter: 0 };
    this.credentials.push(credential);
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
    const cose = cborMap([[1, 2], [3, -7], [-1, 1], [-2, Buffer.from(x, 'base64url')], [-3, Buffer.from(y, 'base64url')]]);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(id.length);
    const authData = Buffer.concat([this.#head(lies.rpId ?? options.rp.id, lies.counter ?? 0, lies, AT), Buffer.alloc(16), length, id, cose]);
    const attestationObject = cborMap([['fmt', 'none'], ['attStmt', cborMap([])], ['authData', authData]], new Set(['attStmt']));
    return JSON.stringify({
      id: credential.id, rawId: credential.id, type: 'public-key', clientExtensionResults: {},
      response: { clientDataJSON: this.#clientData('webauthn.create', options.challenge, lies), attestationObject: attestationObject.toString('base64url'), transports: ['internal', 'odd'] },
    });
  }

  /** Answers `navigator.credentials.get()` with the newest passkey. */
  get(json: string, lies: Lies = {}, credential: Credential | undefined = this.credentials.at(-1)): string {
    if (credential === undefined) throw new Error('there is no passkey');
    const options = JSON.parse(json) as RequestOptions;
    if (this.counts) credential.counter += 1;
    const authData = this.#head(lies.rpId ?? options.rpId, lies.counter ?? credential.counter, lies, 0);
    const clientDataJSON = this.#clientData('webauthn.get', options.challenge, lies);
    const clientHash = createHash('sha256').update(Buffer.from(clientDataJSON, 'base64url')).digest();
    const signature = createSign('sha256').update(authData).update(lies.forged === true ? Buffer.alloc(32) : clientHash).sign(credential.key);
    const id = lies.id ?? credential.id;
    const userHandle = lies.userHandle === undefined ? credential.userHandle : lies.userHandle;
    return JSON.stringify({
      id, rawId: id, type: 'public-key', clientExtensionResults: {},
      response: {
        clientDataJSON, authenticatorData: authData.toString('base64url'), signature: signature.toString('base64url'),
        ...(userHandle === null ? {} : { userHandle }),
      },
    });
  }

  #head(rpId: string, counter: number, lies: Lies, more: number): Buffer {
    const flags = (lies.present === false ? 0 : UP) | (lies.verified === false ? 0 : UV) | (this.synced ? BE | BS : 0) | more;
    const tail = Buffer.alloc(5);
    tail.writeUInt8(flags);
    tail.writeUInt32BE(counter, 1);
    return Buffer.concat([createHash('sha256').update(rpId).digest(), tail]);
  }

  #clientData(type: string, challenge: string, lies: Lies): string {
    return Buffer.from(JSON.stringify({ type: lies.type ?? type, challenge: lies.challenge ?? challenge, origin: lies.origin ?? this.origin, crossOrigin: false })).toString('base64url');
  }
}

type Cbor = number | string | Buffer;

function cborHead(major: number, value: number): Buffer {
  if (value < 24) return Buffer.from([major << 5 | value]);
  if (value < 256) return Buffer.from([major << 5 | 24, value]);
  return Buffer.from([major << 5 | 25, value >> 8, value & 0xFF]);
}

function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? cborHead(1, -1 - value) : cborHead(0, value);
  const bytes = Buffer.from(value);
  return Buffer.concat([cborHead(typeof value === 'string' ? 3 : 2, bytes.length), bytes]);
}

/** @param raw keys whose value is CBOR already */
function cborMap(entries: readonly (readonly [number | string, Cbor])[], raw: ReadonlySet<number | string> = new Set()): Buffer {
  return Buffer.concat([cborHead(5, entries.length), ...entries.flatMap(([key, value]) => [cbor(key), raw.has(key) && Buffer.isBuffer(value) ? value : cbor(value)])]);
}
