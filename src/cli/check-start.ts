import { createPrivateKey, X509Certificate } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { dataFiles, parseMasterKeys } from '../app/files.ts';
import { readHeaders } from '../app/tracing.ts';
import type { Settings } from '../config/settings.ts';
import { checkOrigin } from './check-origin.ts';

/** Everything that would keep a server from starting with these settings, found without changing anything (OP-08). */
export function checkStart(settings: Settings): readonly string[] {
  return [...checkData(settings), ...checkMasterKey(settings), ...checkTls(settings), ...checkCollector(settings), ...checkOrigin(settings)];
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

function checkMasterKey({ data, masterKeyFile, masterKeyCommand, masterKey }: Settings): readonly string[] {
  // A command is not run for this: it may ask a vault, which counts.
  if (masterKeyCommand !== null || masterKey !== null) return [];
  const files = dataFiles(data);
  const path = masterKeyFile ?? files.masterKey;
  if (!existsSync(path)) return existsSync(files.database) ? [`the master key ${path} is missing, and there is a database that needs it`] : [];
  try {
    return parseMasterKeys(readFileSync(path, 'utf8')) === null ? [`${path} does not hold a master key (32 bytes in base64)`] : [];
  } catch {
    return [`the master key ${path} cannot be read`];
  }
}

function checkCollector({ otlpHeadersFile }: Settings): readonly string[] {
  if (otlpHeadersFile === null) return [];
  try {
    readHeaders(otlpHeadersFile);
    return [];
  } catch (error) {
    return [`the headers for the collector cannot be read: ${error instanceof Error ? error.message : 'unknown reason'}`];
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
