import { createPrivateKey, X509Certificate } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { dataFiles } from '../app/files.ts';
import type { Settings } from '../config/settings.ts';
import { checkOrigin } from './check-origin.ts';

/** Everything that would keep a server from starting with these settings, found without changing anything (OP-08). */
export function checkStart(settings: Settings): readonly string[] {
  return [...checkData(settings), ...checkMasterKey(settings), ...checkTls(settings), ...checkOrigin(settings)];
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function checkData({ data }: Settings): readonly string[] {
  if (existsSync(data)) {
    if (!statSync(data).isDirectory()) return [`--data ${data} is not a folder`];
    return mayWrite(data) ? [] : [`--data ${data} cannot be written`];
  }
  let parent = dirname(resolve(data));
  while (!existsSync(parent) && dirname(parent) !== parent) parent = dirname(parent);
  return mayWrite(parent) ? [] : [`--data ${data} does not exist, and cannot be made in ${parent}`];
}

function checkMasterKey({ data, masterKeyFile }: Settings): readonly string[] {
  const files = dataFiles(data);
  const path = masterKeyFile ?? files.masterKey;
  if (!existsSync(path)) return existsSync(files.database) ? [`the master key ${path} is missing, and there is a database that needs it`] : [];
  try {
    const bytes = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64');
    return bytes.length === 32 ? [] : [`${path} does not hold a master key (32 bytes in base64)`];
  } catch {
    return [`the master key ${path} cannot be read`];
  }
}

function checkTls({ tlsCert, tlsKey }: Settings): readonly string[] {
  if (tlsCert === null || tlsKey === null) return [];
  try {
    const certificate = new X509Certificate(readFileSync(tlsCert));
    const key = createPrivateKey(readFileSync(tlsKey));
    return certificate.checkPrivateKey(key) ? [] : [`${tlsKey} is not the private key of ${tlsCert}`];
  } catch {
    return [`${tlsCert} and ${tlsKey} cannot be used: a PEM certificate and an unencrypted PEM private key are needed`];
  }
}
