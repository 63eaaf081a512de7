import { runFiles } from '../helpers/run-files.js'

const elsewhere = ['oidc', 'saml', 'scim', 'sso']

await runFiles(['test/routes/admin'], { except: elsewhere.map((folder) => `test/routes/admin/${folder}`) })
