/** Every table. test/architecture/tables.test.ts lists which feature owns and writes which; reads may join. */
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  customType,
  date,
  doublePrecision,
  foreignKey,
  index,
  integer,
  jsonb,
  type PgColumn,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uniqueIndex
} from 'drizzle-orm/pg-core'

const id = () => bigint('id', { mode: 'number' }).primaryKey().generatedByDefaultAsIdentity()
const ref = (name: string) => bigint(name, { mode: 'number' })
const at = (name: string) => timestamp(name, { withTimezone: true })
const bytes = customType<{ data: Buffer }>({ dataType: () => 'bytea' })
/** Byte order, which compares several times faster than a language's collation. */
const bytewise = customType<{ data: string }>({ dataType: () => 'text collate "C"' })
const oneOf = (column: PgColumn, words: readonly string[]) =>
  sql`${column} in (${sql.raw(words.map(word => `'${word}'`).join(', '))})`

export const roles = ['member', 'auditor', 'admin', 'owner'] as const
export const stages = ['not-invited', 'invited', 'revoked', 'signed-up', 'deactivated'] as const
export const deliveryStates = [
  'queued',
  'sending',
  'held',
  'sent',
  'deferred',
  'failed',
  'unknown',
  'bounced',
  'suppressed',
  'cancelled'
] as const
export const verdicts = [
  'malformed',
  'foreign',
  'duplicate',
  'active',
  'deactivated',
  'suppressed',
  'pending',
  'invite'
] as const
export const batchStates = [
  'receiving',
  'incomplete',
  'checking',
  'checked',
  'sending',
  'paused',
  'stopped',
  'cancelled',
  'done'
] as const
export const suppressionCauses = ['bounced', 'opted-out'] as const
export const batchSources = ['typed', 'file', 'group', 'correction'] as const
export const membershipSources = ['directory', 'hand', 'invitation', 'sign-in'] as const
export const runStates = ['running', 'done', 'parked', 'failed'] as const
export const runCauses = ['start', 'asked', 'schedule'] as const
export const changeKinds = [
  'added',
  'removed',
  'parked',
  'changed',
  'address',
  'disabled',
  'gone',
  'back',
  'deactivated',
  'deactivation-parked'
] as const
export const groupKinds = ['distribution-list', 'security-group', 'group'] as const
export const leftOutReasons = ['no-mail', 'malformed', 'doubled', 'taken'] as const
/** How a person's entry was decided; null before Rollcall recorded that. */
export const boundBy = ['sync', 'address', 'join', 'sign-in', 'password', 'admin'] as const
/** Why a directory password was refused, if an admin can fix it. */
export const directoryTroubles = ['entry-missing', 'two-entries', 'entry-taken'] as const

/** How a session began. Null: before Rollcall recorded it. */
export const signInMethods = ['password', 'directory', 'provider', 'passkey', 'link', 'join'] as const
/** What a browser was sent to the provider for. */
export const attemptPurposes = ['sign-in', 'join', 'test'] as const
export const idTokenAlgorithms = ['RS256', 'PS256', 'ES256'] as const

export const settings = pgTable(
  'settings',
  {
    id: smallint('id').primaryKey().default(1),
    organization: text('organization').notNull(),
    continueUrl: text('continue_url'),
    invitationDays: integer('invitation_days').notNull().default(14),
    timeZone: text('time_zone').notNull().default('UTC'),
    lineDays: integer('line_days').notNull().default(90),
    setUpAt: at('set_up_at').notNull().defaultNow()
  },
  t => [check('settings_one_row', sql`${t.id} = 1`), check('settings_days', sql`${t.invitationDays} between 1 and 30`)]
)

export const domains = pgTable('domains', { name: text('name').primaryKey() })

/** One row per canonical address. The newest invitation and email are copied here so that lists read one table. */
export const people = pgTable(
  'people',
  {
    id: id(),
    email: text('email').notNull(),
    addressKey: text('address_key').notNull(),
    name: text('name'),
    role: text('role', { enum: roles }).notNull().default('member'),
    passwordHash: text('password_hash'),
    theme: text('theme', { enum: ['system', 'light', 'dark'] })
      .notNull()
      .default('system'),
    timeZone: text('time_zone'),
    shortcuts: boolean('shortcuts').notNull().default(true),
    createdAt: at('created_at').notNull().defaultNow(),
    signedUpAt: at('signed_up_at'),
    deactivatedAt: at('deactivated_at'),
    invitationId: ref('invitation_id'),
    invitedAt: at('invited_at'),
    invitationExpiresAt: at('invitation_expires_at'),
    invitationRevokedAt: at('invitation_revoked_at'),
    deliveryId: ref('delivery_id'),
    deliveryState: text('delivery_state', { enum: deliveryStates }),
    /** With `sent`: in the outbox, never sent. */
    deliveryIsKept: boolean('delivery_is_kept').notNull().default(false),
    wasHandedOver: boolean('was_handed_over').notNull().default(false),
    /** Why this address gets no email; a copy of its row in `suppressions`, kept by triggers. */
    suppression: text('suppression', { enum: suppressionCauses }),
    /** The stable id of the person's directory entry; the next columns are what the entry says. */
    directoryId: text('directory_id'),
    directoryDn: text('directory_dn'),
    directoryBoundAt: at('directory_bound_at'),
    directoryBoundBy: text('directory_bound_by', { enum: boundBy }),
    directoryPasswordAt: at('directory_password_at'),
    /** An admin removed the entry: no address brings one back. */
    directorySeparatedAt: at('directory_separated_at'),
    /** The directory's address for this person if it differs: as mailed, and canonical. */
    directoryMail: text('directory_mail'),
    directoryMailKey: text('directory_mail_key'),
    directoryTrouble: text('directory_trouble', { enum: directoryTroubles }),
    directoryTroubleAt: at('directory_trouble_at'),
    department: text('department'),
    title: text('title'),
    manager: text('manager'),
    disabledInDirectoryAt: at('disabled_in_directory_at'),
    goneFromDirectoryAt: at('gone_from_directory_at'),
    /** When to ask the directory about a person who left their groups; null: a group lists them. */
    directoryCheckAt: at('directory_check_at'),
    /** What lists show and filter by: the newest email's state, unless the address gets none. */
    delivery: text('delivery', { enum: deliveryStates }).generatedAlwaysAs(
      sql`case when suppression = 'opted-out' then 'suppressed' when suppression = 'bounced' and coalesce(delivery_state, '') not in ('failed', 'bounced') then 'bounced' else delivery_state end`
    ),
    /** Also searched: readable domains, and the directory's address. */
    alsoFoundBy: text('also_found_by').generatedAlwaysAs(
      sql`case when directory_mail_key is not null or strpos(address_key, 'xn--') > 0 then coalesce(readable_address(address_key), '') || E'\\n' || coalesce(directory_mail_key, '') || E'\\n' || coalesce(readable_address(directory_mail_key), '') end`
    ),
    /** Enrollment without the clock: an expired invitation is still `invited` here. */
    stage: text('stage', { enum: stages })
      .notNull()
      .generatedAlwaysAs(
        sql`case when deactivated_at is not null then 'deactivated' when signed_up_at is not null then 'signed-up' when invitation_id is null then 'not-invited' when invitation_revoked_at is not null then 'revoked' else 'invited' end`
      )
  },
  t => [
    uniqueIndex('people_address_key').on(t.addressKey),
    uniqueIndex('people_directory_id').on(t.directoryId).where(sql`${t.directoryId} is not null`),
    index('people_stage').on(t.stage, t.addressKey),
    index('people_expiry').on(t.invitationExpiresAt).where(sql`${t.stage} = 'invited'`),
    index('people_search').using(
      'gin',
      sql`(${t.addressKey} || E'\\n' || lower(coalesce(${t.name}, ''))) gin_trgm_ops`
    ),
    index('people_directory_check').on(t.directoryCheckAt).where(sql`${t.directoryCheckAt} is not null`),
    index('people_leavers')
      .on(t.id)
      .where(sql`${t.disabledInDirectoryAt} is not null or ${t.goneFromDirectoryAt} is not null`),
    index('people_directory_mail').on(t.directoryMailKey, t.id).where(sql`${t.directoryMailKey} is not null`),
    index('people_also_found_by')
      .using('gin', sql`also_found_by gin_trgm_ops`)
      .where(sql`${t.alsoFoundBy} is not null`),
    index('people_directory_trouble').on(t.id).where(sql`${t.directoryTrouble} is not null`),
    index('people_suppressed').on(t.id).where(sql`${t.suppression} is not null`),
    index('people_console').on(t.role).where(sql`${t.role} <> 'member'`),
    check('people_role', oneOf(t.role, roles)),
    check('people_delivery_state', oneOf(t.deliveryState, deliveryStates)),
    check('people_directory_bound_by', oneOf(t.directoryBoundBy, boundBy)),
    check('people_directory_trouble', oneOf(t.directoryTrouble, directoryTroubles)),
    check('people_deactivated_after_sign_up', sql`${t.deactivatedAt} is null or ${t.signedUpAt} is not null`)
  ]
)

/** Counts by kind: a trigger on people adds what each statement changed, the worker sums up. */
export const peopleCounts = pgTable('people_counts', {
  stage: text('stage', { enum: stages }).notNull(),
  delivery: text('delivery', { enum: deliveryStates }),
  expiresAt: at('expires_at'),
  isKept: boolean('is_kept').notNull().default(false),
  wasInvited: boolean('was_invited').notNull().default(false),
  wasHandedOver: boolean('was_handed_over').notNull().default(false),
  people: bigint('people', { mode: 'number' }).notNull()
})

/** First invitations and sign-ups per day (UTC), counted the same way. */
export const peopleDays = pgTable('people_days', {
  day: date('day').notNull(),
  invited: bigint('invited', { mode: 'number' }).notNull(),
  signedUp: bigint('signed_up', { mode: 'number' }).notNull()
})

export const sessions = pgTable(
  'sessions',
  {
    id: id(),
    tokenHash: bytes('token_hash').notNull(),
    personId: ref('person_id')
      .notNull()
      .references(() => people.id, { onDelete: 'cascade' }),
    createdAt: at('created_at').notNull().defaultNow(),
    lastSeenAt: at('last_seen_at').notNull().defaultNow(),
    endsAt: at('ends_at').notNull(),
    userAgent: text('user_agent'),
    flash: text('flash'),
    method: text('method', { enum: signInMethods }),
    /** With `provider`: whose sign-in this is there, for single logout. */
    issuer: text('issuer'),
    subject: text('subject'),
    providerSession: text('provider_session'),
    /** The ID token, sealed: signing out at the provider names it. */
    idToken: bytes('id_token'),
    /** A required second factor is missing: nothing but setting it up is possible. */
    needsFactor: boolean('needs_factor').notNull().default(false)
  },
  t => [
    uniqueIndex('sessions_token_hash').on(t.tokenHash),
    index('sessions_person').on(t.personId),
    index('sessions_provider').on(t.issuer, t.subject).where(sql`${t.issuer} is not null`),
    check('sessions_method', oneOf(t.method, signInMethods))
  ]
)

/** One row: who may sign in with a password, and who needs a second factor. */
export const signInSettings = pgTable(
  'sign_in_settings',
  {
    id: smallint('id').primaryKey().default(1),
    passwords: text('passwords', { enum: ['everybody', 'owners'] })
      .notNull()
      .default('everybody'),
    secondFactor: text('second_factor', { enum: ['off', 'admins', 'everybody'] })
      .notNull()
      .default('off'),
    /** Sign-in with the directory's password; null: as LDAP_SIGN_IN says. */
    directoryPasswords: boolean('directory_passwords'),
    updatedAt: at('updated_at').notNull().defaultNow()
  },
  t => [
    check('sign_in_settings_one_row', sql`${t.id} = 1`),
    check('sign_in_settings_passwords', oneOf(t.passwords, ['everybody', 'owners'])),
    check('sign_in_settings_second_factor', oneOf(t.secondFactor, ['off', 'admins', 'everybody']))
  ]
)

/** One-time links for signing in without the usual way: a forgotten password, or an owner who is locked out. */
export const accountLinks = pgTable(
  'account_links',
  {
    tokenHash: bytes('token_hash').primaryKey(),
    personId: ref('person_id')
      .notNull()
      .references(() => people.id, { onDelete: 'cascade' }),
    purpose: text('purpose', { enum: ['password', 'sign-in'] }).notNull(),
    createdAt: at('created_at').notNull().defaultNow(),
    expiresAt: at('expires_at').notNull(),
    usedAt: at('used_at')
  },
  t => [index('account_links_person').on(t.personId)]
)

/** The shared secret of an authenticator app (RFC 6238), sealed. Counts once `confirmedAt` is set. */
export const totpSecrets = pgTable('totp_secrets', {
  personId: ref('person_id')
    .primaryKey()
    .references(() => people.id, { onDelete: 'cascade' }),
  secret: bytes('secret').notNull(),
  /** The newest period whose code was accepted: each code works once. */
  lastCounter: bigint('last_counter', { mode: 'number' }).notNull().default(0),
  createdAt: at('created_at').notNull().defaultNow(),
  confirmedAt: at('confirmed_at')
})

/** SHA-256 of codes that replace the second factor, each once. */
export const recoveryCodes = pgTable(
  'recovery_codes',
  {
    personId: ref('person_id')
      .notNull()
      .references(() => people.id, { onDelete: 'cascade' }),
    codeHash: bytes('code_hash').notNull(),
    usedAt: at('used_at')
  },
  t => [primaryKey({ columns: [t.personId, t.codeHash] })]
)

export const passkeys = pgTable(
  'passkeys',
  {
    id: id(),
    personId: ref('person_id')
      .notNull()
      .references(() => people.id, { onDelete: 'cascade' }),
    credentialId: bytes('credential_id').notNull(),
    publicKey: bytes('public_key').notNull(),
    counter: bigint('counter', { mode: 'number' }).notNull().default(0),
    transports: text('transports').array().notNull().default(sql`'{}'`),
    name: text('name').notNull(),
    createdAt: at('created_at').notNull().defaultNow(),
    lastUsedAt: at('last_used_at')
  },
  t => [uniqueIndex('passkeys_credential').on(t.credentialId), index('passkeys_person').on(t.personId)]
)

/** Challenges for passkeys: deleted when they are answered, so that no answer counts twice. */
export const passkeyChallenges = pgTable('passkey_challenges', {
  challengeHash: bytes('challenge_hash').primaryKey(),
  personId: ref('person_id'),
  createdAt: at('created_at').notNull().defaultNow()
})

/** The organization's provider. Row 1 is in force; row 2 was saved and waits for a successful test. */
export const oidcProviders = pgTable(
  'oidc_providers',
  {
    id: smallint('id').primaryKey(),
    issuer: text('issuer').notNull(),
    clientId: text('client_id').notNull(),
    clientSecret: bytes('client_secret'),
    /** The issuer that the secret was typed for: it is sent to no other. */
    secretFor: text('secret_for'),
    /** The words on the button. */
    name: text('name').notNull(),
    algorithm: text('algorithm', { enum: idTokenAlgorithms }).notNull().default('RS256'),
    /** Domains for which this provider's addresses count as verified. */
    trustedDomains: text('trusted_domains').array().notNull().default(sql`'{}'`),
    joining: text('joining', { enum: ['invited', 'domains'] })
      .notNull()
      .default('invited'),
    groupsClaim: text('groups_claim'),
    teams: jsonb('teams').$type<{ value: string; team: string }[]>().notNull().default([]),
    testedAt: at('tested_at'),
    updatedAt: at('updated_at').notNull().defaultNow()
  },
  t => [
    check('oidc_providers_rows', sql`${t.id} in (1, 2)`),
    check('oidc_providers_algorithm', oneOf(t.algorithm, idTokenAlgorithms)),
    check('oidc_providers_joining', oneOf(t.joining, ['invited', 'domains']))
  ]
)

/** Browsers at the provider. A row is deleted when its browser comes back, so that no answer counts twice. */
export const oidcAttempts = pgTable(
  'oidc_attempts',
  {
    stateHash: bytes('state_hash').primaryKey(),
    /** SHA-256 of the browser's cookie: an answer in another browser is refused. */
    browserHash: bytes('browser_hash').notNull(),
    /** Issuer and client that the browser was sent to. */
    provider: text('provider').notNull(),
    purpose: text('purpose', { enum: attemptPurposes }).notNull(),
    /** With `test`: the owner who tests. */
    personId: ref('person_id'),
    /** With `join`: the link's hash, looked up again at the callback. */
    invitationHash: bytes('invitation_hash'),
    next: text('next'),
    createdAt: at('created_at').notNull().defaultNow()
  },
  t => [index('oidc_attempts_at').on(t.createdAt), check('oidc_attempts_purpose', oneOf(t.purpose, attemptPurposes))]
)

/** Accounts at a provider by (issuer, subject): what identifies a person who signs in there. */
export const providerAccounts = pgTable(
  'provider_accounts',
  {
    id: id(),
    issuer: text('issuer').notNull(),
    subject: text('subject').notNull(),
    personId: ref('person_id')
      .notNull()
      .references(() => people.id, { onDelete: 'cascade' }),
    /** The address that the provider named when it was last used. */
    email: text('email'),
    linkedAt: at('linked_at').notNull().defaultNow(),
    lastUsedAt: at('last_used_at')
  },
  t => [
    uniqueIndex('provider_accounts_subject').on(t.issuer, t.subject),
    uniqueIndex('provider_accounts_person').on(t.personId, t.issuer)
  ]
)

/** Logout tokens that were seen: each counts once. */
export const logoutTokens = pgTable(
  'logout_tokens',
  {
    issuer: text('issuer').notNull(),
    jti: text('jti').notNull(),
    seenAt: at('seen_at').notNull().defaultNow()
  },
  t => [primaryKey({ columns: [t.issuer, t.jti] })]
)

/** Failed sign-ins per account, and per account and network, for the delay before the next try. */
export const signInFailures = pgTable('sign_in_failures', {
  key: text('key').primaryKey(),
  failures: integer('failures').notNull(),
  windowStartedAt: at('window_started_at').notNull().defaultNow(),
  lastAt: at('last_at').notNull().defaultNow()
})

export const invitations = pgTable(
  'invitations',
  {
    id: id(),
    personId: ref('person_id')
      .notNull()
      .references(() => people.id),
    batchId: ref('batch_id'),
    invitedBy: ref('invited_by'),
    role: text('role', { enum: roles }).notNull().default('member'),
    /** The owner who chose a role above member; their role is checked again on acceptance. */
    roleGrantedBy: ref('role_granted_by'),
    createdAt: at('created_at').notNull().defaultNow(),
    expiresAt: at('expires_at').notNull(),
    /** 32 random bytes, written when the link is first needed; the link is their HMAC under SECRET_KEY. */
    nonce: bytes('nonce'),
    tokenHash: bytes('token_hash'),
    acceptedAt: at('accepted_at'),
    revokedAt: at('revoked_at'),
    supersededAt: at('superseded_at'),
    /** Revoked before its email or link was sent: to the person it never existed. */
    neverSent: boolean('never_sent').notNull().default(false),
    requestedAt: at('requested_at')
  },
  t => [
    uniqueIndex('invitations_token_hash').on(t.tokenHash).where(sql`${t.tokenHash} is not null`),
    uniqueIndex('invitations_one_open')
      .on(t.personId)
      .where(sql`${t.acceptedAt} is null and ${t.revokedAt} is null and ${t.supersededAt} is null`),
    index('invitations_person').on(t.personId),
    index('invitations_requested').on(t.requestedAt).where(sql`${t.requestedAt} is not null`),
    check('invitations_role', oneOf(t.role, roles))
  ]
)

export const formerLinks = pgTable('former_links', {
  tokenHash: bytes('token_hash').primaryKey(),
  invitationId: ref('invitation_id')
    .notNull()
    .references(() => invitations.id),
  replacedAt: at('replaced_at').notNull().defaultNow()
})

/** One intake of recipients with its report. The counts change in the transaction that changes what they count. */
export const batches = pgTable(
  'batches',
  {
    id: id(),
    source: text('source', { enum: batchSources }).notNull(),
    state: text('state', { enum: batchStates }).notNull(),
    action: text('action', { enum: ['send', 'check'] }).notNull(),
    fileName: text('file_name'),
    createdBy: ref('created_by')
      .notNull()
      .references(() => people.id),
    /** The invitations are theirs: the creator's, unless another admin sent a checked batch. */
    sentBy: ref('sent_by'),
    correctsBatchId: ref('corrects_batch_id'),
    restOfBatchId: ref('rest_of_batch_id'),
    groupId: ref('group_id'),
    createdAt: at('created_at').notNull().defaultNow(),
    receivedAt: at('received_at').notNull().defaultNow(),
    checkedAt: at('checked_at'),
    finishedAt: at('finished_at'),
    stopReason: text('stop_reason'),
    leaseUntil: at('lease_until'),
    failures: smallint('failures').notNull().default(0),
    sentThroughLine: integer('sent_through_line').notNull().default(0),
    lines: integer('lines').notNull().default(0),
    judged: integer('judged').notNull().default(0),
    malformed: integer('malformed').notNull().default(0),
    foreign: integer('foreign').notNull().default(0),
    duplicate: integer('duplicate').notNull().default(0),
    active: integer('active').notNull().default(0),
    deactivated: integer('deactivated').notNull().default(0),
    suppressed: integer('suppressed').notNull().default(0),
    pending: integer('pending').notNull().default(0),
    invite: integer('invite').notNull().default(0),
    mailsQueued: integer('mails_queued').notNull().default(0),
    mailsSending: integer('mails_sending').notNull().default(0),
    mailsHeld: integer('mails_held').notNull().default(0),
    mailsSent: integer('mails_sent').notNull().default(0),
    mailsKept: integer('mails_kept').notNull().default(0),
    mailsDeferred: integer('mails_deferred').notNull().default(0),
    mailsFailed: integer('mails_failed').notNull().default(0),
    mailsUnknown: integer('mails_unknown').notNull().default(0),
    mailsBounced: integer('mails_bounced').notNull().default(0),
    mailsSuppressed: integer('mails_suppressed').notNull().default(0),
    mailsCancelled: integer('mails_cancelled').notNull().default(0)
  },
  t => [
    index('batches_state').on(t.state),
    index('batches_corrects').on(t.correctsBatchId).where(sql`${t.correctsBatchId} is not null`),
    uniqueIndex('batches_rest_of').on(t.restOfBatchId).where(sql`${t.restOfBatchId} is not null`),
    check('batches_state', oneOf(t.state, batchStates)),
    check('batches_source', oneOf(t.source, batchSources))
  ]
)

export const batchChunks = pgTable(
  'batch_chunks',
  {
    batchId: ref('batch_id')
      .notNull()
      .references(() => batches.id, { onDelete: 'cascade' }),
    firstLine: integer('first_line').notNull(),
    /** Parallel lists, one entry per line, joined by LF, which no line can hold. */
    lineNumbers: text('line_numbers').notNull(),
    texts: text('texts').notNull(),
    addresses: text('addresses').notNull(),
    addressKeys: text('address_keys').notNull(),
    verdicts: text('verdicts').notNull(),
    reasons: text('reasons').notNull(),
    suggestions: text('suggestions').notNull()
  },
  t => [primaryKey({ columns: [t.batchId, t.firstLine] })]
)

export const recipients = pgTable(
  'recipients',
  {
    batchId: ref('batch_id').notNull(),
    line: integer('line').notNull(),
    text: text('text').notNull(),
    address: text('address'),
    addressKey: text('address_key'),
    verdict: text('verdict', { enum: verdicts }).notNull(),
    reason: text('reason'),
    suggestion: text('suggestion'),
    firstLine: integer('first_line'),
    correctedIn: ref('corrected_in'),
    correctedTo: text('corrected_to'),
    /** Also searched: the readable domain, and the corrected address. */
    alsoFoundBy: text('also_found_by').generatedAlwaysAs(
      sql`case when corrected_to is not null or strpos(address_key, 'xn--') > 0 then coalesce(address_key, '') || E'\\n' || coalesce(lower(corrected_to), '') || E'\\n' || coalesce(readable_address(lower(corrected_to)), '') || E'\\n' || coalesce(readable_address(address_key), '') end`
    )
  },
  t => [
    primaryKey({ columns: [t.batchId, t.line] }),
    foreignKey({ columns: [t.batchId], foreignColumns: [batches.id] }).onDelete('cascade'),
    uniqueIndex('recipients_first_of_address')
      .on(t.batchId, t.addressKey)
      .where(sql`${t.verdict} not in ('malformed', 'foreign', 'duplicate')`),
    index('recipients_verdict').on(t.batchId, t.verdict, t.line),
    index('recipients_corrected').on(t.batchId, t.line).where(sql`${t.correctedIn} is not null`),
    index('recipients_search').using('gin', sql`lower(${t.text}) gin_trgm_ops`),
    index('recipients_also_found_by')
      .using('gin', sql`also_found_by gin_trgm_ops`)
      .where(sql`${t.alsoFoundBy} is not null`),
    check('recipients_verdict', oneOf(t.verdict, verdicts))
  ]
)

export const deliveries = pgTable(
  'deliveries',
  {
    id: id(),
    kind: text('kind').notNull().default('invitation'),
    personId: ref('person_id')
      .notNull()
      .references(() => people.id),
    invitationId: ref('invitation_id').references(() => invitations.id),
    batchId: ref('batch_id'),
    address: text('address').notNull(),
    state: text('state', { enum: deliveryStates }).notNull().default('queued'),
    /** 0 for typed addresses, 1 for files and groups: a typed one never waits behind a million. */
    priority: smallint('priority').notNull().default(0),
    attempts: integer('attempts').notNull().default(0),
    nextAttemptAt: at('next_attempt_at').notNull().defaultNow(),
    leaseUntil: at('lease_until'),
    messageId: text('message_id'),
    serverReply: text('server_reply'),
    isKept: boolean('is_kept').notNull().default(false),
    /** The reply to an earlier attempt was lost after the body was sent. */
    mayHaveArrived: boolean('may_have_arrived').notNull().default(false),
    queuedAt: at('queued_at').notNull().defaultNow(),
    settledAt: at('settled_at')
  },
  t => [
    index('deliveries_due').on(t.batchId, t.priority, t.nextAttemptAt).where(sql`${t.state} in ('queued', 'deferred')`),
    index('deliveries_leased').on(t.leaseUntil).where(sql`${t.state} = 'sending'`),
    index('deliveries_held').on(t.id).where(sql`${t.state} = 'held'`),
    index('deliveries_person').on(t.personId),
    index('deliveries_single').on(t.state).where(sql`${t.batchId} is null`),
    index('deliveries_batch').on(t.batchId, t.state).where(sql`${t.batchId} is not null`),
    check('deliveries_state', oneOf(t.state, deliveryStates))
  ]
)

export const suppressions = pgTable('suppressions', {
  addressKey: text('address_key').primaryKey(),
  cause: text('cause', { enum: suppressionCauses }).notNull(),
  serverReply: text('server_reply'),
  createdAt: at('created_at').notNull().defaultNow()
})

/** One row: whether the mail server can be used, otherwise since when and why not. */
export const mailTransport = pgTable(
  'mail_transport',
  {
    id: smallint('id').primaryKey().default(1),
    pausedSince: at('paused_since'),
    nextProbeAt: at('next_probe_at'),
    reason: text('reason'),
    /** Pacing for all workers together; null: no limit. */
    perSecond: integer('per_second'),
    perDomainPerSecond: integer('per_domain_per_second'),
    allowance: doublePrecision('allowance').notNull().default(0),
    refilledAt: at('refilled_at').notNull().defaultNow()
  },
  t => [check('mail_transport_one_row', sql`${t.id} = 1`)]
)

/** Limits learned for a mail server (`host:port`), shared by workers and kept over restarts. */
export const mailServers = pgTable('mail_servers', {
  server: text('server').primaryKey(),
  connections: integer('connections'),
  connectionsTryAt: at('connections_try_at'),
  connectionsRefused: smallint('connections_refused').notNull().default(0),
  connectionsRaised: boolean('connections_raised').notNull().default(false),
  mailsPerConnection: integer('mails_per_connection'),
  perMinute: doublePrecision('per_minute'),
  perMinuteTryAt: at('per_minute_try_at'),
  perMinuteRefused: smallint('per_minute_refused').notNull().default(0),
  perMinuteRaised: boolean('per_minute_raised').notNull().default(false),
  restUntil: at('rest_until'),
  reply: text('reply'),
  askedAt: at('asked_at').notNull().defaultNow(),
  allowance: doublePrecision('allowance').notNull().default(0),
  refilledAt: at('refilled_at').notNull().defaultNow()
})

/** Sending workers and their open connections: they share what a server allows. */
export const mailWorkers = pgTable('mail_workers', {
  worker: text('worker').primaryKey(),
  server: text('server').notNull(),
  connections: integer('connections').notNull(),
  seenAt: at('seen_at').notNull().defaultNow()
})

/** One row: which database last sent email. If it is another one, this is a copy, which must not send by itself. */
export const mailOrigin = pgTable(
  'mail_origin',
  {
    id: smallint('id').primaryKey().default(1),
    /** The server's system identifier; null: our role may not read it. */
    cluster: text('cluster'),
    databaseOid: text('database_oid').notNull(),
    /** A fingerprint of SECRET_KEY, for when the server's identity cannot be read. */
    keyPrint: text('key_print').notNull(),
    heldSince: at('held_since'),
    decision: text('decision', { enum: ['send', 'discard'] })
  },
  t => [check('mail_origin_one_row', sql`${t.id} = 1`)]
)

/** Progress of a sending batch, kept for minutes: the rate and the time left come from it. */
export const batchSamples = pgTable(
  'batch_samples',
  {
    batchId: ref('batch_id')
      .notNull()
      .references(() => batches.id, { onDelete: 'cascade' }),
    at: at('at').notNull().defaultNow(),
    settled: integer('settled').notNull()
  },
  t => [primaryKey({ columns: [t.batchId, t.at] })]
)

export const teams = pgTable(
  'teams',
  {
    id: id(),
    name: text('name').notNull(),
    source: text('source', { enum: ['directory', 'hand'] }).notNull(),
    memberCount: integer('member_count').notNull().default(0),
    createdBy: ref('created_by'),
    createdAt: at('created_at').notNull().defaultNow(),
    removedAt: at('removed_at')
  },
  t => [
    index('teams_name').on(sql`lower(${t.name})`, t.id).where(sql`${t.removedAt} is null`),
    uniqueIndex('teams_hand_name').on(sql`lower(${t.name})`).where(sql`${t.source} = 'hand' and ${t.removedAt} is null`)
  ]
)

/** One row per reason, so that one can end without the others. No foreign keys: a sync writes 100,000 rows at once. */
export const memberships = pgTable(
  'memberships',
  {
    teamId: ref('team_id').notNull(),
    personId: ref('person_id').notNull(),
    source: text('source', { enum: membershipSources }).notNull(),
    /** The nested group that led here; by hand: `run:7`, put back after that run, or `kept` when its group stopped. */
    via: text('via'),
    since: at('since').notNull().defaultNow(),
    addedBy: ref('added_by')
  },
  t => [
    primaryKey({ columns: [t.teamId, t.personId, t.source] }),
    index('memberships_person').on(t.personId),
    check('memberships_source', oneOf(t.source, membershipSources))
  ]
)

export const batchTeams = pgTable(
  'batch_teams',
  {
    batchId: ref('batch_id')
      .notNull()
      .references(() => batches.id, { onDelete: 'cascade' }),
    teamId: ref('team_id').notNull()
  },
  t => [primaryKey({ columns: [t.batchId, t.teamId] })]
)

/** Members as pages read them, one row a person: 100,000 are counted in one pass. Triggers write it (decision 9). */
export const teamMembers = pgTable(
  'team_members',
  {
    teamId: ref('team_id').notNull(),
    personId: ref('person_id').notNull(),
    inDirectory: boolean('in_directory').notNull(),
    department: bytewise('department').notNull(),
    title: bytewise('title').notNull(),
    sort: bytewise('sort').notNull(),
    searched: bytewise('searched').notNull(),
    stage: bytewise('stage').notNull(),
    expiresAt: at('expires_at'),
    delivery: bytewise('delivery')
  },
  t => [primaryKey({ columns: [t.teamId, t.personId] }), index('team_members_person').on(t.personId)]
)

/** Counts of a team's directory members by kind, summed like `people_counts`. */
export const teamCounts = pgTable(
  'team_counts',
  {
    teamId: ref('team_id').notNull(),
    stage: text('stage', { enum: stages }).notNull(),
    expiresAt: at('expires_at'),
    people: bigint('people', { mode: 'number' }).notNull(),
    isSum: boolean('is_sum').notNull().default(false)
  },
  t => [index('team_counts_team').on(t.teamId), index('team_counts_new').on(t.teamId).where(sql`not ${t.isSum}`)]
)

export const directorySettings = pgTable(
  'directory_settings',
  {
    id: smallint('id').primaryKey().default(1),
    url: text('url').notNull().default(''),
    startTls: boolean('starttls').notNull().default(true),
    ca: text('ca'),
    bindDn: text('bind_dn').notNull().default(''),
    /** AES-256-GCM under SECRET_KEY, bound to this table, row and column. */
    bindPassword: bytes('bind_password'),
    /** Host, port and TLS of the server that the password was typed for; it is sent to no other. */
    passwordFor: text('password_for'),
    baseDn: text('base_dn').notNull().default(''),
    peopleFilter: text('people_filter'),
    groupFilter: text('group_filter'),
    nested: boolean('nested').notNull().default(true),
    intervalMinutes: integer('interval_minutes').notNull().default(60),
    allowPlain: boolean('allow_plain').notNull().default(false),
    attributes: jsonb('attributes').$type<Record<string, string>>().notNull().default({}),
    exclusions: jsonb('exclusions').$type<string[]>().notNull().default([]),
    deactivateLeavers: boolean('deactivate_leavers').notNull().default(false),
    updatedAt: at('updated_at').notNull().defaultNow()
  },
  t => [check('directory_settings_one_row', sql`${t.id} = 1`)]
)

export const directoryGroups = pgTable(
  'directory_groups',
  {
    id: id(),
    /** The stable id as text: it survives renames and moves. */
    directoryId: text('directory_id').notNull(),
    dn: text('dn').notNull(),
    name: text('name').notNull(),
    mail: text('mail'),
    description: text('description'),
    kind: text('kind', { enum: groupKinds }).notNull(),
    teamId: ref('team_id')
      .notNull()
      .references(() => teams.id),
    memberCount: integer('member_count').notNull().default(0),
    syncedBy: ref('synced_by'),
    createdAt: at('created_at').notNull().defaultNow(),
    lastRunId: ref('last_run_id'),
    lastGoodRunId: ref('last_good_run_id'),
    lastGoodAt: at('last_good_at'),
    /** SHA-256 of what the newest full run read, if it left nothing to do. */
    fingerprint: text('fingerprint'),
    comparedAt: at('compared_at'),
    failures: integer('failures').notNull().default(0),
    nextRunAt: at('next_run_at').notNull().defaultNow(),
    stoppedAt: at('stopped_at')
  },
  t => [
    uniqueIndex('directory_groups_directory_id').on(t.directoryId),
    uniqueIndex('directory_groups_team').on(t.teamId),
    index('directory_groups_name').on(sql`lower(${t.name})`, t.id).where(sql`${t.stoppedAt} is null`),
    index('directory_groups_due').on(t.nextRunAt).where(sql`${t.stoppedAt} is null`),
    check('directory_groups_kind', oneOf(t.kind, groupKinds))
  ]
)

export const syncRuns = pgTable(
  'sync_runs',
  {
    id: id(),
    groupId: ref('group_id')
      .notNull()
      .references(() => directoryGroups.id),
    state: text('state', { enum: runStates }).notNull().default('running'),
    cause: text('cause', { enum: runCauses }).notNull(),
    startedBy: ref('started_by'),
    createdAt: at('created_at').notNull().defaultNow(),
    finishedAt: at('finished_at'),
    leaseUntil: at('lease_until'),
    attempts: integer('attempts').notNull().default(0),
    read: integer('read').notNull().default(0),
    receipt: jsonb('receipt').$type<SyncReceipt>(),
    reason: text('reason'),
    added: integer('added').notNull().default(0),
    removed: integer('removed').notNull().default(0),
    parked: integer('parked').notNull().default(0),
    changed: integer('changed').notNull().default(0),
    /** People whose directory address differs and who keep theirs here. */
    addresses: integer('addresses').notNull().default(0),
    deactivated: integer('deactivated').notNull().default(0),
    deactivationsParked: integer('deactivations_parked').notNull().default(0),
    approvedBy: ref('approved_by'),
    approvedAt: at('approved_at'),
    undoneBy: ref('undone_by'),
    undoneAt: at('undone_at')
  },
  t => [
    uniqueIndex('sync_runs_one_running').on(t.groupId).where(sql`${t.state} = 'running'`),
    index('sync_runs_group').on(t.groupId, t.id),
    index('sync_runs_finished').on(t.finishedAt),
    check('sync_runs_state', oneOf(t.state, runStates))
  ]
)

/** What a run counted (docs/requirements.md, Directory). */
export interface SyncReceipt {
  listed: number
  ranges: number
  resolved: number
  /** Of these, found by a search that the group describes. Receipts of older runs lack these. */
  computed?: number
  repeated?: number
  elsewhere?: number
  principals?: number
  withoutId?: number
  ambiguous?: number
  people?: number
  /** In the team from earlier runs, and kept because another directory holds their entries now. */
  keptAway?: number
  nestedGroups: number
  cyclesCut: number
  dangling: number
  foreignBase: number
  contacts: number
  others: number
  strategy: string
  noMail: number
  malformed: number
  doubled: number
  taken: number
  foreign: number
  disabled: number
  excluded: number
  /** With another address in the directory than here. Older runs did not count them. */
  otherAddress?: number
  before: number
  after: number
}

export const syncChanges = pgTable(
  'sync_changes',
  {
    runId: ref('run_id').notNull(),
    kind: text('kind', { enum: changeKinds }).notNull(),
    id: bigint('id', { mode: 'number' }).notNull().generatedByDefaultAsIdentity({ cache: 1000 }),
    personId: ref('person_id').notNull(),
    detail: text('detail')
  },
  t => [
    primaryKey({ columns: [t.runId, t.kind, t.id] }),
    index('sync_changes_person').on(t.personId).where(sql`${t.kind} not in ('added', 'changed')`),
    check('sync_changes_kind', oneOf(t.kind, changeKinds))
  ]
)

export const leftOut = pgTable(
  'left_out',
  {
    groupId: ref('group_id').notNull(),
    directoryId: text('directory_id').notNull(),
    reason: text('reason', { enum: leftOutReasons }).notNull(),
    name: text('name'),
    dn: text('dn').notNull(),
    mail: text('mail'),
    personId: ref('person_id')
  },
  t => [
    primaryKey({ columns: [t.groupId, t.directoryId] }),
    index('left_out_person').on(t.personId).where(sql`${t.personId} is not null`),
    check('left_out_reason', oneOf(t.reason, leftOutReasons))
  ]
)

/** What a run has read so far. Unlogged: a crash empties it, so a plan counts it first. */
export const staging = pgTable(
  'staging',
  {
    runId: ref('run_id').notNull(),
    n: integer('n').notNull(),
    directoryId: text('directory_id').notNull(),
    dn: text('dn').notNull(),
    mail: text('mail'),
    address: text('address'),
    addressKey: text('address_key'),
    name: text('name'),
    department: text('department'),
    title: text('title'),
    manager: text('manager'),
    isDisabled: boolean('is_disabled').notNull(),
    isExcluded: boolean('is_excluded').notNull(),
    via: text('via')
  },
  t => [primaryKey({ columns: [t.runId, t.n] })]
)

/** The person for each entry read, planned before anything is written. Unlogged, too. */
export const planned = pgTable(
  'planned',
  {
    runId: ref('run_id').notNull(),
    n: integer('n').notNull(),
    /** For a new person, the id that they will get; null with a fault. */
    personId: ref('person_id'),
    isNew: boolean('is_new').notNull(),
    wantsAddress: boolean('wants_address').notNull().default(false),
    takesAddress: boolean('takes_address').notNull().default(false),
    holderId: ref('holder_id'),
    isExcluded: boolean('is_excluded').notNull(),
    fault: text('fault', { enum: leftOutReasons })
  },
  t => [primaryKey({ columns: [t.runId, t.n] })]
)

/** People an admin selected on a group's page, saved so that check boxes outlive pages, sections and filters. */
export const selections = pgTable(
  'selections',
  {
    id: id(),
    groupId: ref('group_id')
      .notNull()
      .references(() => directoryGroups.id),
    adminId: ref('admin_id')
      .notNull()
      .references(() => people.id),
    people: integer('people').notNull().default(0),
    createdAt: at('created_at').notNull().defaultNow(),
    batchId: ref('batch_id')
  },
  t => [index('selections_created').on(t.createdAt)]
)

/** No foreign key: 100,000 rows are written at once. */
export const selectionPeople = pgTable(
  'selection_people',
  {
    selectionId: ref('selection_id').notNull(),
    personId: ref('person_id').notNull()
  },
  t => [primaryKey({ columns: [t.selectionId, t.personId] })]
)

/** The audit trail: append-only. */
type Scalar = string | number | boolean | null

export const events = pgTable(
  'events',
  {
    id: id(),
    at: at('at').notNull().defaultNow(),
    kind: text('kind').notNull(),
    actorId: ref('actor_id'),
    /** Names and addresses at the time of the event: people change them. */
    actorName: text('actor_name'),
    actorEmail: text('actor_email'),
    personId: ref('person_id'),
    personName: text('person_name'),
    personEmail: text('person_email'),
    batchId: ref('batch_id'),
    details: jsonb('details').$type<Record<string, Scalar | { before: Scalar; after: Scalar }>>().notNull().default({}),
    address: text('address')
  },
  t => [
    index('events_person').on(t.personId),
    index('events_batch').on(t.batchId),
    index('events_at').on(t.at),
    index('events_kind').on(t.kind, t.id),
    index('events_actor').on(t.actorId, t.id)
  ]
)
