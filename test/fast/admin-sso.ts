import { runFiles } from '../helpers/run-files.js'

await runFiles(['test/routes/admin/oidc', 'test/routes/admin/saml', 'test/routes/admin/scim', 'test/routes/admin/sso'])
