/** A program that is built like the server and uses what it reads later, on a device and a mail server of the tests. */
import { creationOptions, proveAssertion, proveAttestation, readAssertion, requestOptions, type RelyingParty } from '../../src/credentials/passkeys.ts';
import { parseSmtpUrl } from '../../src/core/smtp.ts';
import { makeMailer } from '../../src/outbound/mailer.ts';
import { Authenticator } from '../helpers/authenticator.ts';

const party: RelyingParty = { rpId: 'id.example', origin: 'https://id.example' };
const challenge = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';

async function usePasskey(): Promise<boolean> {
  const device = new Authenticator(party.origin);
  const created = device.create(await creationOptions(party, challenge, { rpName: 'x', handle: 'AAAA', name: 'ann', displayName: 'Ann', known: [] }));
  const passkey = await proveAttestation(created, party, challenge);
  const assertion = readAssertion(device.get(await requestOptions(party, challenge)));
  if (passkey === null || assertion === null) return false;
  return (await proveAssertion(assertion, party, challenge, passkey))?.userVerified ?? false;
}

async function sendMail(url: string): Promise<string> {
  const server = parseSmtpUrl(url);
  if (server === null) return 'no server';
  return (await makeMailer(server, { from: 'assay@id.example' })({ id: 'm1', fromName: 'Assay', to: 'ann@id.example', subject: 'one', text: 'two\n' })).kind;
}

async function main(): Promise<void> {
  process.stdout.write(JSON.stringify({ passkey: await usePasskey(), mail: await sendMail(process.argv[2] ?? '') }));
}

void main();
