// The types of the admin API, written from its OpenAPI document by `npm run docs`; do not edit.

export interface paths {
  '/v1/admin/audit-logs': {
    /** List the audit entries of the organisation, newest first */
    get: operations['listAuditLogs']
  }
  '/v1/admin/auth/email': {
    /** Change the email of the caller */
    post: operations['requestEmailChange']
  }
  '/v1/admin/auth/email/confirm': {
    /** Confirm one of the two links of a change of email */
    post: operations['confirmEmailChange']
  }
  '/v1/admin/auth/login': {
    /** Log in with email and password */
    post: operations['login']
  }
  '/v1/admin/auth/logout': {
    /** End the session of a refresh token */
    post: operations['logout']
  }
  '/v1/admin/auth/logout-all': {
    /** End all sessions of the caller, including the current session */
    post: operations['logoutAll']
  }
  '/v1/admin/auth/logout-others': {
    /** End the other sessions of the caller, in all organisations */
    post: operations['logoutOthers']
  }
  '/v1/admin/auth/me': {
    /** Get the caller's account */
    get: operations['readMe']
  }
  '/v1/admin/auth/mfa': {
    /** Get the second factors of the caller */
    get: operations['mfaState']
  }
  '/v1/admin/auth/mfa/enrol/passkeys': {
    /** Register a passkey and finish the login */
    post: operations['mfaEnrolPasskey']
  }
  '/v1/admin/auth/mfa/enrol/passkeys/options': {
    /** Get the options of a new passkey during a login that requires it */
    post: operations['mfaEnrolPasskeyOptions']
  }
  '/v1/admin/auth/mfa/enrol/totp': {
    /** Set up an authenticator app during a login that requires it */
    post: operations['mfaEnrolTotp']
  }
  '/v1/admin/auth/mfa/enrol/totp/confirm': {
    /** Confirm the authenticator app and finish the login */
    post: operations['mfaConfirmEnrolledTotp']
  }
  '/v1/admin/auth/mfa/passkey/options': {
    /** Get the options of a passkey as second factor */
    post: operations['mfaPasskeyVerifyOptions']
  }
  '/v1/admin/auth/mfa/passkey/verify': {
    /** Finish a login with a passkey */
    post: operations['mfaPasskeyVerify']
  }
  '/v1/admin/auth/mfa/passkeys': {
    /** Register a passkey */
    post: operations['mfaAddPasskey']
  }
  '/v1/admin/auth/mfa/passkeys/{id}': {
    /** Get a passkey of the caller */
    get: operations['mfaReadPasskey']
    /** Remove a passkey of the caller */
    delete: operations['mfaRemovePasskey']
  }
  '/v1/admin/auth/mfa/passkeys/options': {
    /** Get the options of a new passkey */
    post: operations['mfaPasskeyOptions']
  }
  '/v1/admin/auth/mfa/recovery-codes': {
    /** Replace the recovery codes */
    post: operations['mfaReplaceRecoveryCodes']
  }
  '/v1/admin/auth/mfa/step-up': {
    /** Confirm the second factor again in this session */
    post: operations['mfaStepUp']
  }
  '/v1/admin/auth/mfa/step-up/options': {
    /** Get the options of a passkey that confirms the session */
    post: operations['mfaStepUpOptions']
  }
  '/v1/admin/auth/mfa/totp': {
    /** Set up an authenticator app, or replace it */
    post: operations['mfaProposeTotp']
    /** Remove the authenticator app */
    delete: operations['mfaRemoveTotp']
  }
  '/v1/admin/auth/mfa/totp/confirm': {
    /** Confirm the authenticator app with a code */
    post: operations['mfaConfirmTotp']
  }
  '/v1/admin/auth/mfa/verify': {
    /** Finish a login with a code */
    post: operations['mfaVerify']
  }
  '/v1/admin/auth/organisations': {
    /** List the organisations of the caller, oldest membership first */
    get: operations['listOrganisations']
  }
  '/v1/admin/auth/passkey/login': {
    /** Log in with a passkey, without a password */
    post: operations['mfaPasskeyLogin']
  }
  '/v1/admin/auth/passkey/options': {
    /** Get the options of a login without a password */
    post: operations['mfaPasskeyLoginOptions']
  }
  '/v1/admin/auth/password': {
    /** Change the password of the caller */
    post: operations['changePassword']
  }
  '/v1/admin/auth/password-reset': {
    /** Request a mail with a link that sets a new password */
    post: operations['requestPasswordReset']
  }
  '/v1/admin/auth/password-reset/confirm': {
    /** Set a new password with the link of a reset */
    post: operations['confirmPasswordReset']
  }
  '/v1/admin/auth/refresh': {
    /** Exchange a refresh token for a new pair */
    post: operations['refresh']
  }
  '/v1/admin/auth/sessions': {
    /** List the live sessions of the caller, newest first */
    get: operations['listSessions']
  }
  '/v1/admin/auth/sessions/{id}': {
    /** End one session of the caller */
    delete: operations['endSession']
  }
  '/v1/admin/auth/sso': {
    /** Find the identity providers of an email */
    get: operations['findIdentityProviders']
  }
  '/v1/admin/auth/sso/{kind}/{id}/start': {
    /** Send the browser to an identity provider */
    get: operations['startSso']
  }
  '/v1/admin/auth/sso/logout': {
    /** End the session, and get the URL that ends the one at the identity provider */
    post: operations['logoutSso']
  }
  '/v1/admin/auth/sso/oidc/{id}/backchannel-logout': {
    /** End sessions for the logout token of a provider */
    post: operations['receiveOidcLogout']
  }
  '/v1/admin/auth/sso/oidc/{id}/callback': {
    /** Finish a login at a provider of OpenID Connect */
    get: operations['finishOidcLogin']
  }
  '/v1/admin/auth/sso/saml/{id}/acs': {
    /** Receives the response of a SAML provider to a login */
    post: operations['consumeSamlAssertion']
  }
  '/v1/admin/auth/sso/saml/{id}/metadata': {
    /** Returns the SAML metadata of this service provider for one identity provider */
    get: operations['getSamlMetadata']
  }
  '/v1/admin/auth/sso/saml/{id}/slo': {
    /** Receives a LogoutRequest or LogoutResponse of a SAML provider by HTTP redirect */
    get: operations['receiveSamlLogoutByRedirect']
    /** Receives a LogoutRequest or LogoutResponse of a SAML provider by HTTP POST */
    post: operations['receiveSamlLogoutByPost']
  }
  '/v1/admin/auth/sso/saml/submit.js': {
    /** Returns the script of the page that posts a LogoutResponse */
    get: operations['getSamlSubmitScript']
  }
  '/v1/admin/auth/sso/token': {
    /** Exchange the code of a finished login for tokens */
    post: operations['exchangeSsoCode']
  }
  '/v1/admin/auth/switch': {
    /** Replace the session by a session in another organisation of the caller */
    post: operations['switchOrganisation']
  }
  '/v1/admin/embeds': {
    /** List the requests that the embedding routes granted and refused, newest first */
    get: operations['listEmbeds']
  }
  '/v1/admin/embeds/revocations': {
    /** List the revocations of embeds, newest first */
    get: operations['listRevocations']
  }
  '/v1/admin/embeds/revocations/{id}': {
    /** Delete a revocation, so that earlier embeds are valid again */
    delete: operations['liftRevocation']
  }
  '/v1/admin/embeds/revoke': {
    /** Revoke the embeds of a user, a tenant or a dashboard */
    post: operations['revokeEmbeds']
  }
  '/v1/admin/events': {
    /** List the stored events of the organisation, newest first */
    get: operations['listEvents']
  }
  '/v1/admin/events/{id}': {
    /** Read one stored event */
    get: operations['getEvent']
  }
  '/v1/admin/events/export': {
    /** Export the stored events of the organisation as a file */
    get: operations['exportEvents']
  }
  '/v1/admin/events/live': {
    /** Stream the accepted and refused events of the organisation */
    get: operations['liveEvents']
  }
  '/v1/admin/identity-providers': {
    /** List the identity providers, newest first */
    get: operations['listIdentityProviders']
    /** Create an identity provider */
    post: operations['createIdentityProvider']
  }
  '/v1/admin/identity-providers/{id}': {
    /** Read an identity provider */
    get: operations['readIdentityProvider']
    /** Delete an identity provider, end its sessions and unlink its identities */
    delete: operations['deleteIdentityProvider']
    /** Change an identity provider */
    patch: operations['patchIdentityProvider']
  }
  '/v1/admin/identity-providers/{id}/rotate-secret': {
    /** Replace the client secret or private key of an identity provider */
    post: operations['rotateIdentityProviderSecret']
  }
  '/v1/admin/invitations/accept': {
    /** Accept an invitation */
    post: operations['acceptInvitation']
  }
  '/v1/admin/invitations/inspect': {
    /** Read the invitation of a link */
    post: operations['inspectInvitation']
  }
  '/v1/admin/keys': {
    /** List the API keys, newest first */
    get: operations['listApiKeys']
    /** Create an API key */
    post: operations['createApiKey']
  }
  '/v1/admin/keys/{id}': {
    /** Read an API key */
    get: operations['readApiKey']
    /** Revoke an API key */
    delete: operations['deleteApiKey']
    /** Rename an API key */
    patch: operations['patchApiKey']
  }
  '/v1/admin/keys/{id}/rotate': {
    /** Replace an API key */
    post: operations['rotateApiKey']
  }
  '/v1/admin/notices': {
    /** List the keys that stop working within 14 days, and the quotas that are used by 80 % or more */
    get: operations['listNotices']
  }
  '/v1/admin/organisation': {
    /** Get the settings of the caller's organisation */
    get: operations['readOrganisation']
    /** Change the name of the organisation, or whether it requires a second factor */
    patch: operations['patchOrganisation']
  }
  '/v1/admin/permissions': {
    /** List the permissions that an API key can have */
    get: operations['listPermissions']
  }
  '/v1/admin/refused-events': {
    /** List the refused events that are kept, newest first */
    get: operations['listRefusedEvents']
  }
  '/v1/admin/refused-events/{id}': {
    /** Read one refused event */
    get: operations['getRefusedEvent']
    /** Delete a refused event */
    delete: operations['deleteRefusedEvent']
  }
  '/v1/admin/refused-events/{id}/replay': {
    /** Accept a refused event by the present settings of its source */
    post: operations['replayRefusedEvent']
  }
  '/v1/admin/refused-events/export': {
    /** Export the refused events that are kept as a file */
    get: operations['exportRefusedEvents']
  }
  '/v1/admin/refused-events/replay': {
    /** Accept the refused events of a filter that were not replayed yet, newest first */
    post: operations['replayRefusedEvents']
  }
  '/v1/admin/scim': {
    /** Read the roles of provisioned users */
    get: operations['readScimSettings']
    /** Set the roles of provisioned users */
    patch: operations['patchScimSettings']
  }
  '/v1/admin/sources': {
    /** List the sources, newest first */
    get: operations['listSources']
    /** Create a source */
    post: operations['createSource']
  }
  '/v1/admin/sources/{id}': {
    /** Read a source */
    get: operations['readSource']
    /** Delete a source; its keys become invalid immediately */
    delete: operations['deleteSource']
    /** Change a source */
    patch: operations['patchSource']
  }
  '/v1/admin/sources/{id}/keys': {
    /** List the pipeline keys of a source */
    get: operations['listSourceKeys']
    /** Create a named pipeline key of a source */
    post: operations['createSourceKey']
  }
  '/v1/admin/sources/{id}/keys/{key_id}': {
    /** Read a pipeline key of a source */
    get: operations['readSourceKey']
    /** Delete a named pipeline key, which becomes invalid immediately */
    delete: operations['deleteSourceKey']
    /** Change a named pipeline key */
    patch: operations['patchSourceKey']
  }
  '/v1/admin/sources/{id}/keys/{key_id}/rotate': {
    /** Replace the value of a pipeline key */
    post: operations['rotateSourceKey']
  }
  '/v1/admin/sources/{id}/rotate-key': {
    /** Replace the pipeline key */
    post: operations['rotateKey']
  }
  '/v1/admin/sources/{id}/rotate-secret': {
    /** Replace the server secret */
    post: operations['rotateSecret']
  }
  '/v1/admin/sources/{id}/webhooks': {
    /** List the webhooks of a source, newest first */
    get: operations['listWebhooks']
    /** Create a webhook of a source */
    post: operations['createWebhook']
  }
  '/v1/admin/sources/{id}/webhooks/{wid}': {
    /** Read a webhook */
    get: operations['readWebhook']
    /** Delete a webhook; later deliveries are refused */
    delete: operations['deleteWebhook']
    /** Change a webhook */
    patch: operations['patchWebhook']
  }
  '/v1/admin/sources/{id}/webhooks/{wid}/rotate-secret': {
    /** Replace the secret of a webhook */
    post: operations['rotateWebhookSecret']
  }
  '/v1/admin/sources/{id}/webhooks/{wid}/test': {
    /** Map a sample delivery to events without storing them */
    post: operations['testWebhook']
  }
  '/v1/admin/sso-domains': {
    /** List the email domains, newest first */
    get: operations['listSsoDomains']
    /** Add an email domain */
    post: operations['addSsoDomain']
  }
  '/v1/admin/sso-domains/{id}': {
    /** Read an email domain */
    get: operations['readSsoDomain']
    /** Remove an email domain */
    delete: operations['deleteSsoDomain']
    /** Allow or switch off the passwords of a domain */
    patch: operations['patchSsoDomain']
  }
  '/v1/admin/sso-domains/{id}/verify': {
    /** Look up the TXT record that proves an email domain */
    post: operations['verifySsoDomain']
  }
  '/v1/admin/stats': {
    /** Count the events, embeds and logins of the organisation, with series for charts */
    get: operations['getStats']
  }
  '/v1/admin/users': {
    /** List the members of the organisation, newest first */
    get: operations['listUsers']
  }
  '/v1/admin/users/{id}': {
    /** Read a member */
    get: operations['readUser']
    /** Remove a member; the last membership takes the account with it */
    delete: operations['deleteUser']
    /** Change the role of a member, or disable or enable a member */
    patch: operations['patchUser']
  }
  '/v1/admin/users/{id}/identities': {
    /** List the identities of a user at the identity providers of the organisation */
    get: operations['listIdentities']
  }
  '/v1/admin/users/{id}/identities/{provider_id}': {
    /** Unlink an identity of a user, and end its sessions */
    delete: operations['unlinkIdentity']
  }
  '/v1/admin/users/invitations': {
    /** List the open invitations, newest first */
    get: operations['listInvitations']
  }
  '/v1/admin/users/invitations/{id}': {
    /** Withdraw an invitation; its link is no longer valid */
    delete: operations['deleteInvitation']
  }
  '/v1/admin/users/invitations/{id}/resend': {
    /** Mail a new link for 7 days; the previous link is no longer valid */
    post: operations['resendInvitation']
  }
  '/v1/admin/users/invite': {
    /** Invite a person by mail */
    post: operations['inviteUser']
  }
}
export interface operations {
  listAuditLogs: {
    parameters: {
      query?: {
        action?: string
        cursor?: string
        from?: string
        limit?: number
        resource_id?: string
        resource_type?: string
        to?: string
        user_id?: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            data: {
              action: string
              changes: unknown
              id: string
              ip_address: string | null
              resource_id: string | null
              resource_type: string | null
              timestamp: string
              user_agent: string | null
              user_email: string | null
              user_id: string | null
            }[]
            has_more: boolean
            next_cursor: string | null
          }
        }
      }
    }
  }
  requestEmailChange: {
    requestBody: {
      content: {
        'application/json': {
          current_password: string
          new_email: string
        }
      }
    }
    responses: {
      202: unknown
    }
  }
  confirmEmailChange: {
    requestBody: {
      content: {
        'application/json': {
          token: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            /** @enum {string} */
            status: 'waiting' | 'changed'
          }
        }
      }
    }
  }
  login: {
    requestBody: {
      content: {
        'application/json': {
          email: string
          org_id?: string
          password: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            access_token: string
            expires_in: number
            refresh_token?: string
            /** @enum {string} */
            token_type: 'Bearer'
          } | {
            /** @enum {boolean} */
            enrolment_required?: true
            expires_in: number
            methods: ('totp' | 'passkey' | 'recovery_code')[]
            /** @enum {boolean} */
            mfa_required: true
            mfa_token: string
          }
        }
      }
    }
  }
  logout: {
    requestBody: {
      content: {
        'application/json': {
          refresh_token?: string
        }
      }
    }
    responses: {
      204: unknown
    }
  }
  logoutAll: {
    responses: {
      204: unknown
    }
  }
  logoutOthers: {
    responses: {
      200: {
        content: {
          'application/json': {
            ended: number
          }
        }
      }
    }
  }
  readMe: {
    responses: {
      200: {
        content: {
          'application/json': {
            email: string
            id: string
            org_id: string
            org_name: string
            role: string
            session_id: string
          }
        }
      }
    }
  }
  mfaState: {
    responses: {
      200: {
        content: {
          'application/json': {
            confirmed_at: string | null
            passkeys: {
              created_at: string
              id: string
              last_used_at: string | null
              name: string
            }[]
            recovery_codes_left: number
            required: boolean
            totp: {
              confirmed_at: string
            } | null
          }
        }
      }
    }
  }
  mfaEnrolPasskey: {
    requestBody: {
      content: {
        'application/json': {
          challenge_token: string
          credential: {
            authenticatorAttachment?: string | null
            clientExtensionResults: {
              [key: string]: unknown
            }
            id: string
            rawId: string
            response: {
              attestationObject: string
              clientDataJSON: string
              transports?: string[]
            }
            /** @enum {string} */
            type: 'public-key'
          }
          mfa_token: string
          name: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            passkey: {
              created_at: string
              id: string
              last_used_at: string | null
              name: string
            }
            recovery_codes: string[]
            tokens: {
              access_token: string
              expires_in: number
              refresh_token?: string
              /** @enum {string} */
              token_type: 'Bearer'
            }
          }
        }
      }
    }
  }
  mfaEnrolPasskeyOptions: {
    requestBody: {
      content: {
        'application/json': {
          mfa_token: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            challenge_token: string
            options: {
              [key: string]: unknown
            }
          }
        }
      }
    }
  }
  mfaEnrolTotp: {
    requestBody: {
      content: {
        'application/json': {
          mfa_token: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            otpauth_url: string
            secret: string
          }
        }
      }
    }
  }
  mfaConfirmEnrolledTotp: {
    requestBody: {
      content: {
        'application/json': {
          code: string
          mfa_token: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            recovery_codes: string[]
            tokens: {
              access_token: string
              expires_in: number
              refresh_token?: string
              /** @enum {string} */
              token_type: 'Bearer'
            }
          }
        }
      }
    }
  }
  mfaPasskeyVerifyOptions: {
    requestBody: {
      content: {
        'application/json': {
          mfa_token: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            challenge_token: string
            options: {
              [key: string]: unknown
            }
          }
        }
      }
    }
  }
  mfaPasskeyVerify: {
    requestBody: {
      content: {
        'application/json': {
          challenge_token: string
          credential: {
            authenticatorAttachment?: string | null
            clientExtensionResults: {
              [key: string]: unknown
            }
            id: string
            rawId: string
            response: {
              authenticatorData: string
              clientDataJSON: string
              signature: string
              userHandle?: string | null
            }
            /** @enum {string} */
            type: 'public-key'
          }
          mfa_token: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            access_token: string
            expires_in: number
            refresh_token?: string
            /** @enum {string} */
            token_type: 'Bearer'
          }
        }
      }
    }
  }
  mfaAddPasskey: {
    requestBody: {
      content: {
        'application/json': {
          challenge_token: string
          credential: {
            authenticatorAttachment?: string | null
            clientExtensionResults: {
              [key: string]: unknown
            }
            id: string
            rawId: string
            response: {
              attestationObject: string
              clientDataJSON: string
              transports?: string[]
            }
            /** @enum {string} */
            type: 'public-key'
          }
          name: string
        }
      }
    }
    responses: {
      201: {
        content: {
          'application/json': {
            passkey: {
              created_at: string
              id: string
              last_used_at: string | null
              name: string
            }
            recovery_codes: string[]
          }
        }
      }
    }
  }
  mfaReadPasskey: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string
            id: string
            last_used_at: string | null
            name: string
          }
        }
      }
    }
  }
  mfaRemovePasskey: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      204: unknown
    }
  }
  mfaPasskeyOptions: {
    requestBody: {
      content: {
        'application/json': {
          current_password?: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            challenge_token: string
            options: {
              [key: string]: unknown
            }
          }
        }
      }
    }
  }
  mfaReplaceRecoveryCodes: {
    responses: {
      200: {
        content: {
          'application/json': {
            recovery_codes: string[]
          }
        }
      }
    }
  }
  mfaStepUp: {
    requestBody: {
      content: {
        'application/json': {
          challenge_token?: string
          code?: string
          credential?: {
            authenticatorAttachment?: string | null
            clientExtensionResults: {
              [key: string]: unknown
            }
            id: string
            rawId: string
            response: {
              authenticatorData: string
              clientDataJSON: string
              signature: string
              userHandle?: string | null
            }
            /** @enum {string} */
            type: 'public-key'
          }
        }
      }
    }
    responses: {
      204: unknown
    }
  }
  mfaStepUpOptions: {
    responses: {
      200: {
        content: {
          'application/json': {
            challenge_token: string
            options: {
              [key: string]: unknown
            }
          }
        }
      }
    }
  }
  mfaProposeTotp: {
    requestBody: {
      content: {
        'application/json': {
          current_password?: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            otpauth_url: string
            secret: string
          }
        }
      }
    }
  }
  mfaRemoveTotp: {
    responses: {
      204: unknown
    }
  }
  mfaConfirmTotp: {
    requestBody: {
      content: {
        'application/json': {
          code: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            recovery_codes: string[]
          }
        }
      }
    }
  }
  mfaVerify: {
    requestBody: {
      content: {
        'application/json': {
          code: string
          mfa_token: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            access_token: string
            expires_in: number
            refresh_token?: string
            /** @enum {string} */
            token_type: 'Bearer'
          }
        }
      }
    }
  }
  listOrganisations: {
    responses: {
      200: {
        content: {
          'application/json': {
            data: {
              current: boolean
              id: string
              name: string
              role: string
            }[]
            has_more: boolean
            next_cursor: string | null
          }
        }
      }
    }
  }
  mfaPasskeyLogin: {
    requestBody: {
      content: {
        'application/json': {
          challenge_token: string
          credential: {
            authenticatorAttachment?: string | null
            clientExtensionResults: {
              [key: string]: unknown
            }
            id: string
            rawId: string
            response: {
              authenticatorData: string
              clientDataJSON: string
              signature: string
              userHandle?: string | null
            }
            /** @enum {string} */
            type: 'public-key'
          }
          org_id?: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            access_token: string
            expires_in: number
            refresh_token?: string
            /** @enum {string} */
            token_type: 'Bearer'
          }
        }
      }
    }
  }
  mfaPasskeyLoginOptions: {
    responses: {
      200: {
        content: {
          'application/json': {
            challenge_token: string
            options: {
              [key: string]: unknown
            }
          }
        }
      }
    }
  }
  changePassword: {
    requestBody: {
      content: {
        'application/json': {
          current_password: string
          new_password: string
        }
      }
    }
    responses: {
      204: unknown
    }
  }
  requestPasswordReset: {
    requestBody: {
      content: {
        'application/json': {
          email: string
        }
      }
    }
    responses: {
      202: unknown
    }
  }
  confirmPasswordReset: {
    requestBody: {
      content: {
        'application/json': {
          new_password: string
          token: string
        }
      }
    }
    responses: {
      204: unknown
    }
  }
  refresh: {
    requestBody: {
      content: {
        'application/json': {
          refresh_token?: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            access_token: string
            expires_in: number
            refresh_token?: string
            /** @enum {string} */
            token_type: 'Bearer'
          }
        }
      }
    }
  }
  listSessions: {
    responses: {
      200: {
        content: {
          'application/json': {
            data: {
              created_at: string
              current: boolean
              device: string | null
              expires_at: string
              id: string
              ip_address: string
              last_used_at: string
              org_id: string
              user_agent: string
            }[]
            has_more: boolean
            next_cursor: string | null
          }
        }
      }
    }
  }
  endSession: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      204: unknown
    }
  }
  findIdentityProviders: {
    parameters: {
      query?: {
        email?: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            providers: {
              id: string
              /** @enum {string} */
              kind: 'oidc' | 'saml'
              name: string
              start_url: string
            }[]
            required: boolean
          }
        }
      }
    }
  }
  startSso: {
    parameters: {
      query?: {
        login_hint?: string
        return_to?: string
      }
      path: {
        id: string
        kind: 'oidc' | 'saml'
      }
    }
    responses: {
      303: unknown
    }
  }
  logoutSso: {
    responses: {
      200: {
        content: {
          'application/json': {
            logout_url: string | null
          }
        }
      }
    }
  }
  receiveOidcLogout: {
    parameters: {
      path: {
        id: string
      }
    }
    requestBody: {
      content: {
        'application/x-www-form-urlencoded': {
          logout_token: string
        }
      }
    }
    responses: {
      200: unknown
    }
  }
  finishOidcLogin: {
    parameters: {
      query?: {
        code?: string
        error?: string
        error_description?: string
        iss?: string
        state?: string
      }
      path: {
        id: string
      }
    }
    responses: {
      303: unknown
    }
  }
  consumeSamlAssertion: {
    parameters: {
      path: {
        id: string
      }
    }
    requestBody: {
      content: {
        'application/x-www-form-urlencoded': {
          RelayState?: string
          SAMLResponse: string
        }
      }
    }
    responses: {
      303: unknown
    }
  }
  getSamlMetadata: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': string
        }
      }
    }
  }
  receiveSamlLogoutByRedirect: {
    parameters: {
      query?: {
        RelayState?: string
        SAMLRequest?: string
        SAMLResponse?: string
        SigAlg?: string
        Signature?: string
      }
      path: {
        id: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': string
        }
      }
      303: unknown
    }
  }
  receiveSamlLogoutByPost: {
    parameters: {
      path: {
        id: string
      }
    }
    requestBody: {
      content: {
        'application/x-www-form-urlencoded': {
          RelayState?: string
          SAMLRequest?: string
          SAMLResponse?: string
          SigAlg?: string
          Signature?: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': string
        }
      }
      303: unknown
    }
  }
  getSamlSubmitScript: {
    responses: {
      200: {
        content: {
          'application/json': string
        }
      }
    }
  }
  exchangeSsoCode: {
    requestBody: {
      content: {
        'application/json': {
          code: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            access_token: string
            expires_in: number
            refresh_token?: string
            /** @enum {string} */
            token_type: 'Bearer'
          } | {
            /** @enum {boolean} */
            enrolment_required?: true
            expires_in: number
            methods: ('totp' | 'passkey' | 'recovery_code')[]
            /** @enum {boolean} */
            mfa_required: true
            mfa_token: string
          }
        }
      }
    }
  }
  switchOrganisation: {
    requestBody: {
      content: {
        'application/json': {
          org_id: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            access_token: string
            expires_in: number
            refresh_token?: string
            /** @enum {string} */
            token_type: 'Bearer'
          }
        }
      }
    }
  }
  listEmbeds: {
    parameters: {
      query?: {
        cursor?: string
        from?: string
        limit?: number
        outcome?: 'granted' | 'refused'
        product?: 'databrain' | 'boldbi' | 'dxfeed'
        to?: string
        user_id?: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            data: {
              details: unknown
              error: string | null
              id: string
              ip_address: string | null
              /** @enum {string} */
              outcome: 'granted' | 'refused'
              /** @enum {string} */
              product: 'databrain' | 'boldbi' | 'dxfeed'
              resource_id: string | null
              timestamp: string
              user_agent: string | null
              user_email: string | null
              user_id: string | null
            }[]
            has_more: boolean
            next_cursor: string | null
          }
        }
      }
    }
  }
  listRevocations: {
    parameters: {
      query?: {
        cursor?: string
        kind?: 'user' | 'tenant' | 'dashboard'
        limit?: number
        subject?: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            data: {
              before: string
              created_at: string
              created_by: string | null
              id: string
              /** @enum {string} */
              kind: 'user' | 'tenant' | 'dashboard'
              subject: string | null
            }[]
            has_more: boolean
            next_cursor: string | null
          }
        }
      }
    }
  }
  liftRevocation: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      204: unknown
    }
  }
  revokeEmbeds: {
    requestBody: {
      content: {
        'application/json': {
          /** Format: date-time */
          before?: string
          dashboard_id?: string
          tenant_id?: string
          user_id?: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            before: string
            created_at: string
            created_by: string | null
            id: string
            /** @enum {string} */
            kind: 'user' | 'tenant' | 'dashboard'
            subject: string | null
          }
        }
      }
    }
  }
  listEvents: {
    parameters: {
      query?: {
        anonymous_id?: string
        cursor?: string
        event?: string
        from?: string
        limit?: number
        message_id?: string
        source_id?: string
        timestamp_from?: string
        timestamp_to?: string
        to?: string
        type?: 'track' | 'page' | 'identify' | 'group' | 'screen' | 'alias'
        user_id?: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            data: ({
              id?: string
            } & {
              [key: string]: unknown
            })[]
            has_more: boolean
            next_cursor: string | null
          }
        }
      }
    }
  }
  getEvent: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            id?: string
          } & {
            [key: string]: unknown
          }
        }
      }
    }
  }
  exportEvents: {
    parameters: {
      query?: {
        anonymous_id?: string
        cursor?: string
        event?: string
        format?: 'ndjson' | 'csv'
        from?: string
        message_id?: string
        source_id?: string
        timestamp_from?: string
        timestamp_to?: string
        to?: string
        type?: 'track' | 'page' | 'identify' | 'group' | 'screen' | 'alias'
        user_id?: string
      }
    }
    responses: {
      200: {
        content: {
          'application/x-ndjson': string
          'text/csv': string
        }
      }
    }
  }
  liveEvents: {
    parameters: {
      query?: {
        outcome?: 'accepted' | 'refused' | 'all'
        source_id?: string
        type?: 'track' | 'page' | 'identify' | 'group' | 'screen' | 'alias'
      }
      header?: {
        'last-event-id'?: string
      }
    }
    responses: {
      200: {
        content: {
          'text/event-stream': string
        }
      }
    }
  }
  listIdentityProviders: {
    parameters: {
      query?: {
        cursor?: string
        limit?: number
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            data: {
              created_at: string
              enabled: boolean
              id: string
              /** @enum {string} */
              kind: 'oidc' | 'saml'
              name: string
              roles: {
                [key: string]: unknown
              }
              settings: {
                [key: string]: unknown
              }
              updated_at: string
              urls: {
                [key: string]: string
              }
              warnings: string[]
            }[]
            has_more: boolean
            next_cursor: string | null
          }
        }
      }
    }
  }
  createIdentityProvider: {
    requestBody: {
      content: {
        'application/json': {
          /** @default true */
          enabled?: boolean
          /** @enum {string} */
          kind: 'oidc' | 'saml'
          name: string
          roles?: {
            /** @default null */
            claim?: string | null
            /**
             * @default viewer
             * @enum {string|null}
             */
            fallback?: 'owner' | 'admin' | 'editor' | 'viewer' | null
            /** @default [] */
            mapping?: {
              /** @enum {string} */
              role: 'owner' | 'admin' | 'editor' | 'viewer'
              value: string
            }[]
          }
          secret?: string
          settings: {
            [key: string]: unknown
          }
        }
      }
    }
    responses: {
      201: {
        content: {
          'application/json': {
            created_at: string
            enabled: boolean
            id: string
            /** @enum {string} */
            kind: 'oidc' | 'saml'
            name: string
            roles: {
              [key: string]: unknown
            }
            settings: {
              [key: string]: unknown
            }
            updated_at: string
            urls: {
              [key: string]: string
            }
            warnings: string[]
          }
        }
      }
    }
  }
  readIdentityProvider: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string
            enabled: boolean
            id: string
            /** @enum {string} */
            kind: 'oidc' | 'saml'
            name: string
            roles: {
              [key: string]: unknown
            }
            settings: {
              [key: string]: unknown
            }
            updated_at: string
            urls: {
              [key: string]: string
            }
            warnings: string[]
          }
        }
      }
    }
  }
  deleteIdentityProvider: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      204: unknown
    }
  }
  patchIdentityProvider: {
    parameters: {
      path: {
        id: string
      }
    }
    requestBody: {
      content: {
        'application/json': {
          enabled?: boolean
          name?: string
          roles?: {
            /** @default null */
            claim?: string | null
            /**
             * @default viewer
             * @enum {string|null}
             */
            fallback?: 'owner' | 'admin' | 'editor' | 'viewer' | null
            /** @default [] */
            mapping?: {
              /** @enum {string} */
              role: 'owner' | 'admin' | 'editor' | 'viewer'
              value: string
            }[]
          }
          settings?: {
            [key: string]: unknown
          }
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string
            enabled: boolean
            id: string
            /** @enum {string} */
            kind: 'oidc' | 'saml'
            name: string
            roles: {
              [key: string]: unknown
            }
            settings: {
              [key: string]: unknown
            }
            updated_at: string
            urls: {
              [key: string]: string
            }
            warnings: string[]
          }
        }
      }
    }
  }
  rotateIdentityProviderSecret: {
    parameters: {
      path: {
        id: string
      }
    }
    requestBody: {
      content: {
        'application/json': {
          /** @default 0 */
          overlap_seconds?: number
          secret: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string
            enabled: boolean
            id: string
            /** @enum {string} */
            kind: 'oidc' | 'saml'
            name: string
            roles: {
              [key: string]: unknown
            }
            settings: {
              [key: string]: unknown
            }
            updated_at: string
            urls: {
              [key: string]: string
            }
            warnings: string[]
          }
        }
      }
    }
  }
  acceptInvitation: {
    requestBody: {
      content: {
        'application/json': {
          password: string
          token: string
        }
      }
    }
    responses: {
      201: {
        content: {
          'application/json': {
            created_at: string
            disabled: boolean
            email: string
            id: string
            last_login_at: string | null
            /** @enum {string} */
            role: 'owner' | 'admin' | 'editor' | 'viewer'
          }
        }
      }
    }
  }
  inspectInvitation: {
    requestBody: {
      content: {
        'application/json': {
          token: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            email: string
            expires_at: string
            has_account: boolean
            organisation: string
            /** @enum {string} */
            role: 'owner' | 'admin' | 'editor' | 'viewer'
          }
        }
      }
    }
  }
  listApiKeys: {
    parameters: {
      query?: {
        cursor?: string
        limit?: number
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            data: {
              created_at: string
              created_by: string
              expires_at: string | null
              id: string
              last_used_at: string | null
              name: string
              permissions: string[] | null
              prefix: string
              role: string
            }[]
            has_more: boolean
            next_cursor: string | null
          }
        }
      }
    }
  }
  createApiKey: {
    requestBody: {
      content: {
        'application/json': {
          /** Format: date-time */
          expires_at?: string
          expires_in_days?: number
          name: string
          permissions?: string[]
          /** @enum {string} */
          role: 'owner' | 'admin' | 'editor' | 'viewer'
        }
      }
    }
    responses: {
      201: {
        content: {
          'application/json': {
            created_at: string
            created_by: string
            expires_at: string | null
            id: string
            key: string
            last_used_at: string | null
            name: string
            permissions: string[] | null
            prefix: string
            role: string
          }
        }
      }
    }
  }
  readApiKey: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string
            created_by: string
            expires_at: string | null
            id: string
            last_used_at: string | null
            name: string
            permissions: string[] | null
            prefix: string
            role: string
          }
        }
      }
    }
  }
  deleteApiKey: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      204: unknown
    }
  }
  patchApiKey: {
    parameters: {
      path: {
        id: string
      }
    }
    requestBody: {
      content: {
        'application/json': {
          name: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string
            created_by: string
            expires_at: string | null
            id: string
            last_used_at: string | null
            name: string
            permissions: string[] | null
            prefix: string
            role: string
          }
        }
      }
    }
  }
  rotateApiKey: {
    parameters: {
      path: {
        id: string
      }
    }
    requestBody: {
      content: {
        'application/json': {
          /** @default 0 */
          overlap_seconds?: number
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string
            created_by: string
            expires_at: string | null
            id: string
            key: string
            last_used_at: string | null
            name: string
            permissions: string[] | null
            prefix: string
            role: string
          }
        }
      }
    }
  }
  listNotices: {
    responses: {
      200: {
        content: {
          'application/json': {
            data: {
              ends_at: string
              key_name: string | null
              name: string
              quota: {
                limit: number
                /** @enum {string} */
                period: 'day' | 'month'
                used: number
              } | null
              resource_id: string
              /** @enum {string} */
              subject: 'pipeline_key' | 'replaced_pipeline_key' | 'api_key' | 'source'
              /** @enum {string} */
              type: 'key.expiring' | 'quota.warning' | 'quota.exceeded'
            }[]
          }
        }
      }
    }
  }
  readOrganisation: {
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string
            id: string
            max_sources: number | null
            max_users: number | null
            mfa: 'optional' | 'required'
            name: string
          }
        }
      }
    }
  }
  patchOrganisation: {
    requestBody: {
      content: {
        'application/json': {
          mfa?: 'optional' | 'required'
          name?: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string
            id: string
            max_sources: number | null
            max_users: number | null
            mfa: 'optional' | 'required'
            name: string
          }
        }
      }
    }
  }
  listPermissions: {
    responses: {
      200: {
        content: {
          'application/json': {
            data: string[]
          }
        }
      }
    }
  }
  listRefusedEvents: {
    parameters: {
      query?: {
        code?: string
        cursor?: string
        from?: string
        limit?: number
        message_id?: string
        origin?: string
        replayed?: 'true' | 'false'
        source_id?: string
        to?: string
        type?: 'track' | 'page' | 'identify' | 'group' | 'screen' | 'alias'
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            data: {
              bytes: number
              code: string
              content_type: string | null
              event: string | null
              id: string
              ip: string
              message_id: string | null
              origin: string | null
              path: string
              payload: string
              reason: string
              received_at: string
              replayable: boolean
              replayed_at: string | null
              signed: boolean
              source_id: string
              truncated: boolean
              type: string | null
              user_agent: string | null
            }[]
            has_more: boolean
            next_cursor: string | null
          }
        }
      }
    }
  }
  getRefusedEvent: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            bytes: number
            code: string
            content_type: string | null
            event: string | null
            id: string
            ip: string
            message_id: string | null
            origin: string | null
            path: string
            payload: string
            reason: string
            received_at: string
            replayable: boolean
            replayed_at: string | null
            signed: boolean
            source_id: string
            truncated: boolean
            type: string | null
            user_agent: string | null
          }
        }
      }
    }
  }
  deleteRefusedEvent: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      204: unknown
    }
  }
  replayRefusedEvent: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            code: string | null
            events: {
              dropped: number
              duplicate: number
              refused: number
              stored: number
            }
            id: string
            outcome: string
            reason: string | null
          }
        }
      }
    }
  }
  exportRefusedEvents: {
    parameters: {
      query?: {
        code?: string
        cursor?: string
        format?: 'ndjson' | 'csv'
        from?: string
        message_id?: string
        origin?: string
        replayed?: 'true' | 'false'
        source_id?: string
        to?: string
        type?: 'track' | 'page' | 'identify' | 'group' | 'screen' | 'alias'
      }
    }
    responses: {
      200: {
        content: {
          'application/x-ndjson': string
          'text/csv': string
        }
      }
    }
  }
  replayRefusedEvents: {
    requestBody: {
      content: {
        'application/json': {
          code?: string
          cursor?: string
          /** Format: date-time */
          from?: string
          /** @default 50 */
          limit?: number
          message_id?: string
          origin?: string
          source_id?: string
          /** Format: date-time */
          to?: string
          /** @enum {string} */
          type?: 'track' | 'page' | 'identify' | 'group' | 'screen' | 'alias'
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            events: {
              dropped: number
              duplicate: number
              refused: number
              stored: number
            }
            has_more: boolean
            in_progress: number
            next_cursor: string | null
            replayed: number
            still_refused: {
              code: string
              id: string
              reason: string
            }[]
          }
        }
      }
    }
  }
  readScimSettings: {
    responses: {
      200: {
        content: {
          'application/json': {
            base_path: string
            /** @enum {string} */
            default_role: 'owner' | 'admin' | 'editor' | 'viewer'
            group_roles: {
              group: string
              /** @enum {string} */
              role: 'owner' | 'admin' | 'editor' | 'viewer'
            }[]
          }
        }
      }
    }
  }
  patchScimSettings: {
    requestBody: {
      content: {
        'application/json': {
          /** @enum {string} */
          default_role?: 'owner' | 'admin' | 'editor' | 'viewer'
          group_roles?: {
            group: string
            /** @enum {string} */
            role: 'owner' | 'admin' | 'editor' | 'viewer'
          }[]
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            base_path: string
            /** @enum {string} */
            default_role: 'owner' | 'admin' | 'editor' | 'viewer'
            group_roles: {
              group: string
              /** @enum {string} */
              role: 'owner' | 'admin' | 'editor' | 'viewer'
            }[]
          }
        }
      }
    }
  }
  listSources: {
    parameters: {
      query?: {
        cursor?: string
        limit?: number
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            data: {
              allow_any_origin: boolean
              allow_null_origin: boolean
              /** @enum {string} */
              bots: 'tag' | 'drop' | 'ignore'
              created_at: string
              daily_quota: number | null
              domains: string[]
              enabled: boolean
              /** @enum {string} */
              environment: 'live' | 'test'
              id: string
              keep_refused: boolean
              monthly_quota: number | null
              name: string
              pipeline_key: string
              pixel_types: ('track' | 'page' | 'identify' | 'group')[]
              rate_limit: number | null
              /** @enum {string} */
              require_signature: 'never' | 'without_origin' | 'always'
              require_timestamp: boolean
              server_secret_prefix: string
              /** @enum {string} */
              signed_repeats: 'keep' | 'drop'
              updated_at: string
            }[]
            has_more: boolean
            next_cursor: string | null
          }
        }
      }
    }
  }
  createSource: {
    requestBody: {
      content: {
        'application/json': {
          allow_any_origin?: boolean
          allow_null_origin?: boolean
          /** @enum {string} */
          bots?: 'tag' | 'drop' | 'ignore'
          daily_quota?: number | null
          domains?: string[]
          enabled?: boolean
          /** @enum {string} */
          environment?: 'live' | 'test'
          keep_refused?: boolean
          monthly_quota?: number | null
          name: string
          pipeline_key?: string
          pixel_types?: ('track' | 'page' | 'identify' | 'group')[]
          rate_limit?: number | null
          /** @enum {string} */
          require_signature?: 'never' | 'without_origin' | 'always'
          require_timestamp?: boolean
          server_secret?: string
          /** @enum {string} */
          signed_repeats?: 'keep' | 'drop'
        }
      }
    }
    responses: {
      201: {
        content: {
          'application/json': {
            allow_any_origin: boolean
            allow_null_origin: boolean
            /** @enum {string} */
            bots: 'tag' | 'drop' | 'ignore'
            created_at: string
            daily_quota: number | null
            domains: string[]
            enabled: boolean
            /** @enum {string} */
            environment: 'live' | 'test'
            id: string
            keep_refused: boolean
            monthly_quota: number | null
            name: string
            pipeline_key: string
            pixel_types: ('track' | 'page' | 'identify' | 'group')[]
            rate_limit: number | null
            /** @enum {string} */
            require_signature: 'never' | 'without_origin' | 'always'
            require_timestamp: boolean
            server_secret: string
            server_secret_prefix: string
            /** @enum {string} */
            signed_repeats: 'keep' | 'drop'
            updated_at: string
          }
        }
      }
    }
  }
  readSource: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            allow_any_origin: boolean
            allow_null_origin: boolean
            /** @enum {string} */
            bots: 'tag' | 'drop' | 'ignore'
            created_at: string
            daily_quota: number | null
            domains: string[]
            enabled: boolean
            /** @enum {string} */
            environment: 'live' | 'test'
            id: string
            keep_refused: boolean
            monthly_quota: number | null
            name: string
            pipeline_key: string
            pixel_types: ('track' | 'page' | 'identify' | 'group')[]
            rate_limit: number | null
            /** @enum {string} */
            require_signature: 'never' | 'without_origin' | 'always'
            require_timestamp: boolean
            server_secret_prefix: string
            /** @enum {string} */
            signed_repeats: 'keep' | 'drop'
            updated_at: string
          }
        }
      }
    }
  }
  deleteSource: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      204: unknown
    }
  }
  patchSource: {
    parameters: {
      path: {
        id: string
      }
    }
    requestBody: {
      content: {
        'application/json': {
          allow_any_origin?: boolean
          allow_null_origin?: boolean
          /** @enum {string} */
          bots?: 'tag' | 'drop' | 'ignore'
          daily_quota?: number | null
          domains?: string[]
          enabled?: boolean
          /** @enum {string} */
          environment?: 'live' | 'test'
          keep_refused?: boolean
          monthly_quota?: number | null
          name?: string
          pixel_types?: ('track' | 'page' | 'identify' | 'group')[]
          rate_limit?: number | null
          /** @enum {string} */
          require_signature?: 'never' | 'without_origin' | 'always'
          require_timestamp?: boolean
          /** @enum {string} */
          signed_repeats?: 'keep' | 'drop'
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            allow_any_origin: boolean
            allow_null_origin: boolean
            /** @enum {string} */
            bots: 'tag' | 'drop' | 'ignore'
            created_at: string
            daily_quota: number | null
            domains: string[]
            enabled: boolean
            /** @enum {string} */
            environment: 'live' | 'test'
            id: string
            keep_refused: boolean
            monthly_quota: number | null
            name: string
            pipeline_key: string
            pixel_types: ('track' | 'page' | 'identify' | 'group')[]
            rate_limit: number | null
            /** @enum {string} */
            require_signature: 'never' | 'without_origin' | 'always'
            require_timestamp: boolean
            server_secret_prefix: string
            /** @enum {string} */
            signed_repeats: 'keep' | 'drop'
            updated_at: string
          }
        }
      }
    }
  }
  listSourceKeys: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            data: {
              created_at: string | null
              domains: string[] | null
              enabled: boolean
              expires_at: string | null
              id: string
              last_used_at: string | null
              name: string | null
              pipeline_key: string
              previous: {
                expires_at: string
                last_used_at: string | null
                pipeline_key: string
              } | null
            }[]
          }
        }
      }
    }
  }
  createSourceKey: {
    parameters: {
      path: {
        id: string
      }
    }
    requestBody: {
      content: {
        'application/json': {
          domains?: string[] | null
          /** @default true */
          enabled?: boolean
          /** Format: date-time */
          expires_at?: string | null
          name: string
          pipeline_key?: string
        }
      }
    }
    responses: {
      201: {
        content: {
          'application/json': {
            created_at: string | null
            domains: string[] | null
            enabled: boolean
            expires_at: string | null
            id: string
            last_used_at: string | null
            name: string | null
            pipeline_key: string
            previous: {
              expires_at: string
              last_used_at: string | null
              pipeline_key: string
            } | null
          }
        }
      }
    }
  }
  readSourceKey: {
    parameters: {
      path: {
        id: string
        key_id: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string | null
            domains: string[] | null
            enabled: boolean
            expires_at: string | null
            id: string
            last_used_at: string | null
            name: string | null
            pipeline_key: string
            previous: {
              expires_at: string
              last_used_at: string | null
              pipeline_key: string
            } | null
          }
        }
      }
    }
  }
  deleteSourceKey: {
    parameters: {
      path: {
        id: string
        key_id: string
      }
    }
    responses: {
      204: unknown
    }
  }
  patchSourceKey: {
    parameters: {
      path: {
        id: string
        key_id: string
      }
    }
    requestBody: {
      content: {
        'application/json': {
          domains?: string[] | null
          enabled?: boolean
          /** Format: date-time */
          expires_at?: string | null
          name?: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string | null
            domains: string[] | null
            enabled: boolean
            expires_at: string | null
            id: string
            last_used_at: string | null
            name: string | null
            pipeline_key: string
            previous: {
              expires_at: string
              last_used_at: string | null
              pipeline_key: string
            } | null
          }
        }
      }
    }
  }
  rotateSourceKey: {
    parameters: {
      path: {
        id: string
        key_id: string
      }
    }
    requestBody: {
      content: {
        'application/json': {
          /** @default 0 */
          overlap_seconds?: number
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string | null
            domains: string[] | null
            enabled: boolean
            expires_at: string | null
            id: string
            last_used_at: string | null
            name: string | null
            pipeline_key: string
            previous: {
              expires_at: string
              last_used_at: string | null
              pipeline_key: string
            } | null
          }
        }
      }
    }
  }
  rotateKey: {
    parameters: {
      path: {
        id: string
      }
    }
    requestBody: {
      content: {
        'application/json': {
          /** @default 0 */
          overlap_seconds?: number
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            allow_any_origin: boolean
            allow_null_origin: boolean
            /** @enum {string} */
            bots: 'tag' | 'drop' | 'ignore'
            created_at: string
            daily_quota: number | null
            domains: string[]
            enabled: boolean
            /** @enum {string} */
            environment: 'live' | 'test'
            id: string
            keep_refused: boolean
            monthly_quota: number | null
            name: string
            pipeline_key: string
            pixel_types: ('track' | 'page' | 'identify' | 'group')[]
            rate_limit: number | null
            /** @enum {string} */
            require_signature: 'never' | 'without_origin' | 'always'
            require_timestamp: boolean
            server_secret_prefix: string
            /** @enum {string} */
            signed_repeats: 'keep' | 'drop'
            updated_at: string
          }
        }
      }
    }
  }
  rotateSecret: {
    parameters: {
      path: {
        id: string
      }
    }
    requestBody: {
      content: {
        'application/json': {
          /** @default 0 */
          overlap_seconds?: number
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            allow_any_origin: boolean
            allow_null_origin: boolean
            /** @enum {string} */
            bots: 'tag' | 'drop' | 'ignore'
            created_at: string
            daily_quota: number | null
            domains: string[]
            enabled: boolean
            /** @enum {string} */
            environment: 'live' | 'test'
            id: string
            keep_refused: boolean
            monthly_quota: number | null
            name: string
            pipeline_key: string
            pixel_types: ('track' | 'page' | 'identify' | 'group')[]
            rate_limit: number | null
            /** @enum {string} */
            require_signature: 'never' | 'without_origin' | 'always'
            require_timestamp: boolean
            server_secret: string
            server_secret_prefix: string
            /** @enum {string} */
            signed_repeats: 'keep' | 'drop'
            updated_at: string
          }
        }
      }
    }
  }
  listWebhooks: {
    parameters: {
      query?: {
        cursor?: string
        limit?: number
      }
      path: {
        id: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            data: {
              created_at: string
              custom: {
                [key: string]: unknown
              } | null
              enabled: boolean
              id: string
              mapping: {
                [key: string]: unknown
              } | null
              name: string
              /** @enum {string} */
              provider: 'stripe' | 'shopify' | 'hubspot' | 'standard' | 'custom'
              secret_prefix: string
              source_id: string
              updated_at: string
              url: string | null
            }[]
            has_more: boolean
            next_cursor: string | null
          }
        }
      }
    }
  }
  createWebhook: {
    parameters: {
      path: {
        id: string
      }
    }
    requestBody: {
      content: {
        'application/json': {
          custom?: {
            /**
             * @default hex
             * @enum {string}
             */
            encoding?: 'hex' | 'base64'
            /**
             * @default sha256
             * @enum {string}
             */
            hash?: 'sha256' | 'sha512'
            header: string
            /** @default  */
            prefix?: string
            /** @default {timestamp}.{body} */
            template?: string
            /** @default null */
            timestamp_header?: string | null
          } | null
          enabled?: boolean
          mapping?: {
            anonymousId?: string | string[] | null
            context?: string | string[] | {
              [key: string]: string
            } | null
            each?: string | null
            event?: string | string[] | null
            groupId?: string | string[] | null
            messageId?: string | string[] | null
            name?: string | string[] | null
            properties?: string | string[] | {
              [key: string]: string
            } | null
            timestamp?: string | string[] | null
            traits?: string | string[] | {
              [key: string]: string
            } | null
            /** @enum {string} */
            type?: 'track' | 'page' | 'identify' | 'group'
            userId?: string | string[] | null
          } | null
          name?: string
          /** @enum {string} */
          provider: 'stripe' | 'shopify' | 'hubspot' | 'standard' | 'custom'
          secret?: string
          url?: string | null
        }
      }
    }
    responses: {
      201: {
        content: {
          'application/json': {
            created_at: string
            custom: {
              [key: string]: unknown
            } | null
            enabled: boolean
            id: string
            mapping: {
              [key: string]: unknown
            } | null
            name: string
            /** @enum {string} */
            provider: 'stripe' | 'shopify' | 'hubspot' | 'standard' | 'custom'
            secret?: string
            secret_prefix: string
            source_id: string
            updated_at: string
            url: string | null
          }
        }
      }
    }
  }
  readWebhook: {
    parameters: {
      path: {
        id: string
        wid: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string
            custom: {
              [key: string]: unknown
            } | null
            enabled: boolean
            id: string
            mapping: {
              [key: string]: unknown
            } | null
            name: string
            /** @enum {string} */
            provider: 'stripe' | 'shopify' | 'hubspot' | 'standard' | 'custom'
            secret_prefix: string
            source_id: string
            updated_at: string
            url: string | null
          }
        }
      }
    }
  }
  deleteWebhook: {
    parameters: {
      path: {
        id: string
        wid: string
      }
    }
    responses: {
      204: unknown
    }
  }
  patchWebhook: {
    parameters: {
      path: {
        id: string
        wid: string
      }
    }
    requestBody: {
      content: {
        'application/json': {
          custom?: {
            /**
             * @default hex
             * @enum {string}
             */
            encoding?: 'hex' | 'base64'
            /**
             * @default sha256
             * @enum {string}
             */
            hash?: 'sha256' | 'sha512'
            header: string
            /** @default  */
            prefix?: string
            /** @default {timestamp}.{body} */
            template?: string
            /** @default null */
            timestamp_header?: string | null
          } | null
          enabled?: boolean
          mapping?: {
            anonymousId?: string | string[] | null
            context?: string | string[] | {
              [key: string]: string
            } | null
            each?: string | null
            event?: string | string[] | null
            groupId?: string | string[] | null
            messageId?: string | string[] | null
            name?: string | string[] | null
            properties?: string | string[] | {
              [key: string]: string
            } | null
            timestamp?: string | string[] | null
            traits?: string | string[] | {
              [key: string]: string
            } | null
            /** @enum {string} */
            type?: 'track' | 'page' | 'identify' | 'group'
            userId?: string | string[] | null
          } | null
          name?: string
          url?: string | null
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string
            custom: {
              [key: string]: unknown
            } | null
            enabled: boolean
            id: string
            mapping: {
              [key: string]: unknown
            } | null
            name: string
            /** @enum {string} */
            provider: 'stripe' | 'shopify' | 'hubspot' | 'standard' | 'custom'
            secret_prefix: string
            source_id: string
            updated_at: string
            url: string | null
          }
        }
      }
    }
  }
  rotateWebhookSecret: {
    parameters: {
      path: {
        id: string
        wid: string
      }
    }
    requestBody: {
      content: {
        'application/json': {
          /** @default 0 */
          overlap_seconds?: number
          secret?: string
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string
            custom: {
              [key: string]: unknown
            } | null
            enabled: boolean
            id: string
            mapping: {
              [key: string]: unknown
            } | null
            name: string
            /** @enum {string} */
            provider: 'stripe' | 'shopify' | 'hubspot' | 'standard' | 'custom'
            secret?: string
            secret_prefix: string
            source_id: string
            updated_at: string
            url: string | null
          }
        }
      }
    }
  }
  testWebhook: {
    parameters: {
      path: {
        id: string
        wid: string
      }
    }
    requestBody: {
      content: {
        'application/json': {
          body: {
            [key: string]: unknown
          } | unknown[]
          headers?: {
            [key: string]: string
          }
          mapping?: {
            anonymousId?: string | string[] | null
            context?: string | string[] | {
              [key: string]: string
            } | null
            each?: string | null
            event?: string | string[] | null
            groupId?: string | string[] | null
            messageId?: string | string[] | null
            name?: string | string[] | null
            properties?: string | string[] | {
              [key: string]: string
            } | null
            timestamp?: string | string[] | null
            traits?: string | string[] | {
              [key: string]: string
            } | null
            /** @enum {string} */
            type?: 'track' | 'page' | 'identify' | 'group'
            userId?: string | string[] | null
          } | null
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            errors: {
              code: string
              index: number
              message: string
              messageId: string | null
            }[]
            events: ({
              id?: string
            } & {
              [key: string]: unknown
            })[]
          }
        }
      }
    }
  }
  listSsoDomains: {
    parameters: {
      query?: {
        cursor?: string
        limit?: number
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            data: {
              created_at: string
              domain: string
              id: string
              /** @enum {string} */
              sso: 'optional' | 'required'
              txt_name: string
              txt_value: string
              verified_at: string | null
            }[]
            has_more: boolean
            next_cursor: string | null
          }
        }
      }
    }
  }
  addSsoDomain: {
    requestBody: {
      content: {
        'application/json': {
          domain: string
        }
      }
    }
    responses: {
      201: {
        content: {
          'application/json': {
            created_at: string
            domain: string
            id: string
            /** @enum {string} */
            sso: 'optional' | 'required'
            txt_name: string
            txt_value: string
            verified_at: string | null
          }
        }
      }
    }
  }
  readSsoDomain: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string
            domain: string
            id: string
            /** @enum {string} */
            sso: 'optional' | 'required'
            txt_name: string
            txt_value: string
            verified_at: string | null
          }
        }
      }
    }
  }
  deleteSsoDomain: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      204: unknown
    }
  }
  patchSsoDomain: {
    parameters: {
      path: {
        id: string
      }
    }
    requestBody: {
      content: {
        'application/json': {
          /** @enum {string} */
          sso: 'optional' | 'required'
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string
            domain: string
            id: string
            /** @enum {string} */
            sso: 'optional' | 'required'
            txt_name: string
            txt_value: string
            verified_at: string | null
          }
        }
      }
    }
  }
  verifySsoDomain: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string
            domain: string
            id: string
            /** @enum {string} */
            sso: 'optional' | 'required'
            txt_name: string
            txt_value: string
            verified_at: string | null
          }
        }
      }
    }
  }
  getStats: {
    parameters: {
      query?: {
        from?: string
        interval?: 'hour' | 'day'
        source_id?: string
        to?: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            embeds: {
              products: {
                cached: number
                minted: number
                product: string
                refused: number
                refused_by_code: {
                  [key: string]: number
                }
              }[]
              series: {
                cached: number[]
                minted: number[]
                refused: number[]
              }
            }
            events: {
              series: {
                accepted: number[]
                bot: number[]
                bytes: number[]
                deduplicated: number[]
                refused: number[]
              }
              totals: {
                accepted: number
                bot: number
                bytes: number
                deduplicated: number
                refused: number
                refused_by_code: {
                  [key: string]: number
                }
              }
            }
            from: string
            /** @enum {string} */
            interval: 'hour' | 'day'
            logins: {
              active_sessions: number
              totals: {
                [key: string]: number
              }
            }
            sources: {
              accepted: number
              bot: number
              bytes: number
              deduplicated: number
              last_event_at: string | null
              refused: number
              refused_by_code: {
                [key: string]: number
              }
              source_id: string
            }[]
            times: string[]
            to: string
          }
        }
      }
    }
  }
  listUsers: {
    parameters: {
      query?: {
        cursor?: string
        limit?: number
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            data: {
              created_at: string
              disabled: boolean
              email: string
              id: string
              last_login_at: string | null
              /** @enum {string} */
              role: 'owner' | 'admin' | 'editor' | 'viewer'
            }[]
            has_more: boolean
            next_cursor: string | null
          }
        }
      }
    }
  }
  readUser: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string
            disabled: boolean
            email: string
            id: string
            last_login_at: string | null
            /** @enum {string} */
            role: 'owner' | 'admin' | 'editor' | 'viewer'
          }
        }
      }
    }
  }
  deleteUser: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      204: unknown
    }
  }
  patchUser: {
    parameters: {
      path: {
        id: string
      }
    }
    requestBody: {
      content: {
        'application/json': {
          disabled?: boolean
          /** @enum {string} */
          role?: 'owner' | 'admin' | 'editor' | 'viewer'
        }
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string
            disabled: boolean
            email: string
            id: string
            last_login_at: string | null
            /** @enum {string} */
            role: 'owner' | 'admin' | 'editor' | 'viewer'
          }
        }
      }
    }
  }
  listIdentities: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            data: {
              created_at: string
              last_login_at: string
              provider_id: string
              subject: string
            }[]
          }
        }
      }
    }
  }
  unlinkIdentity: {
    parameters: {
      path: {
        id: string
        provider_id: string
      }
    }
    responses: {
      204: unknown
    }
  }
  listInvitations: {
    parameters: {
      query?: {
        cursor?: string
        limit?: number
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            data: {
              created_at: string
              email: string
              expires_at: string
              id: string
              invited_by: string
              /** @enum {string} */
              role: 'owner' | 'admin' | 'editor' | 'viewer'
            }[]
            has_more: boolean
            next_cursor: string | null
          }
        }
      }
    }
  }
  deleteInvitation: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      204: unknown
    }
  }
  resendInvitation: {
    parameters: {
      path: {
        id: string
      }
    }
    responses: {
      200: {
        content: {
          'application/json': {
            created_at: string
            email: string
            expires_at: string
            id: string
            invited_by: string
            /** @enum {string} */
            role: 'owner' | 'admin' | 'editor' | 'viewer'
          }
        }
      }
    }
  }
  inviteUser: {
    requestBody: {
      content: {
        'application/json': {
          email: string
          /** @enum {string} */
          role: 'owner' | 'admin' | 'editor' | 'viewer'
        }
      }
    }
    responses: {
      201: {
        content: {
          'application/json': {
            created_at: string
            email: string
            expires_at: string
            id: string
            invited_by: string
            /** @enum {string} */
            role: 'owner' | 'admin' | 'editor' | 'viewer'
          }
        }
      }
    }
  }
}
