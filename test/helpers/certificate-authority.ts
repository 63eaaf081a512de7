import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

export interface CertificateFiles {
  cert: string
  key: string
}

export interface CertificateAuthority {
  /** The file of its certificate. */
  cert: string
  /** A certificate for a name, good for that DNS name where no other alternatives are given. */
  issue(name: string, alternatives?: string): Promise<CertificateFiles>
}

/** An authority of the test's own, by openssl, with its files in a folder that is there. */
export async function certificateAuthority (folder: string): Promise<CertificateAuthority> {
  const [cert, key] = [join(folder, 'ca.crt'), join(folder, 'ca.key')]
  await run('openssl', ['req', '-x509', ...KEY, '-days', '2', '-subj', '/CN=authority of these tests', '-keyout', key,
    '-out', cert])

  async function issue (name: string, alternatives = `DNS:${name}`): Promise<CertificateFiles> {
    const own = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) }
    const [request, extensions] = [join(folder, `${name}.csr`), join(folder, `${name}.ext`)]
    await writeFile(extensions, `subjectAltName=${alternatives}\n`)
    await run('openssl', ['req', ...KEY, '-subj', `/CN=${name}`, '-keyout', own.key, '-out', request])
    await run('openssl', ['x509', '-req', '-in', request, '-CA', cert, '-CAkey', key, '-CAcreateserial', '-days', '2',
      '-extfile', extensions, '-out', own.cert])
    return own
  }

  return { cert, issue }
}
