/** Certificates for https on this machine, made when a test needs one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './server.ts';

/** A self-signed certificate for `127.0.0.1`, `localhost` and every name under it, and its key: PEM. */
export type Certificate = { readonly certFile: string; readonly keyFile: string; readonly pem: string };

/** Makes one, good for a day. @throws Error when openssl refuses */
export function makeCertificate(openssl: string, folder = temporaryFolder()): Certificate {
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const made = Bun.spawnSync([
    openssl, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost,DNS:*.localhost,IP:127.0.0.1', '-keyout', keyFile, '-out', certFile,
  ]);
  if (!made.success) throw new Error(made.stderr.toString());
  return { certFile, keyFile, pem: readFileSync(certFile, 'utf8') };
}
