import { createStore } from './store.ts'

/** A question that the shell asks on top of the current page. */
export interface Prompt {
  kind: 'sign-in' | 'second-factor'
  /** The access token after a new sign-in, whether the factor was proved; `null`: the user gave up. */
  answer (result: string | true | null): void
}

/** The open questions, the latest on top. The shell shows them. */
export const prompts = createStore<readonly Prompt[]>([])

const waiting = new Map<Prompt['kind'], Promise<string | true | null>>()

/** Thrown to requests of a user who does not sign in again. */
export class SignedOut extends Error {}

/** Asks the user to sign in again and returns the new access token. Throws `SignedOut` if the user leaves. */
export async function askAgain (): Promise<string> {
  const token = await ask('sign-in')
  if (typeof token !== 'string') throw new SignedOut('You are signed out.')
  return token
}

/** Asks the user for the second factor. Returns whether it was proved. */
export async function askForFactor (): Promise<boolean> {
  return await ask('second-factor') === true
}

/** Several requests may need the same answer: they share one question. */
function ask (kind: Prompt['kind']): Promise<string | true | null> {
  const former = waiting.get(kind)
  if (former !== undefined) return former
  const question = new Promise<string | true | null>((resolve) => {
    const prompt: Prompt = {
      kind,
      answer (result) {
        waiting.delete(kind)
        prompts.set(prompts.get().filter((open) => open !== prompt))
        resolve(result)
      }
    }
    prompts.set([...prompts.get(), prompt])
  })
  waiting.set(kind, question)
  return question
}
