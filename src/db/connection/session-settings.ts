/** Sent with each connection, so that no default of role, database or server changes what statements mean. */

/** A wrong value here changes what is read or written, or ends connections. */
const meaning = {
  client_encoding: 'UTF8',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  xmlbinary: 'base64',
  array_nulls: 'on',
  transform_null_equals: 'off',
  standard_conforming_strings: 'on',
  backslash_quote: 'safe_encoding',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  default_table_access_method: 'heap',
  row_security: 'on',
  gin_fuzzy_search_limit: '0',
  check_function_bodies: 'on',
  exit_on_error: 'off',
  client_min_messages: 'warning',
  lock_timeout: '0',
  idle_session_timeout: '0',
  // a process whose machine is lost holds its locks no longer than this
  idle_in_transaction_session_timeout: '60000'
}

/** PostgreSQL's own defaults, with which our statements were measured; only `jit` differs (decision 16). */
const planning = {
  jit: 'off',
  plan_cache_mode: 'auto',
  work_mem: '4MB',
  hash_mem_multiplier: '2',
  effective_cache_size: '4GB',
  seq_page_cost: '1',
  random_page_cost: '4',
  cpu_tuple_cost: '0.01',
  cpu_index_tuple_cost: '0.005',
  cpu_operator_cost: '0.0025',
  parallel_setup_cost: '1000',
  parallel_tuple_cost: '0.1',
  max_parallel_workers_per_gather: '2',
  default_statistics_target: '100',
  constraint_exclusion: 'partition',
  cursor_tuple_fraction: '0.1',
  from_collapse_limit: '8',
  join_collapse_limit: '8',
  geqo: 'on',
  geqo_threshold: '12',
  enable_bitmapscan: 'on',
  enable_gathermerge: 'on',
  enable_hashagg: 'on',
  enable_hashjoin: 'on',
  enable_incremental_sort: 'on',
  enable_indexonlyscan: 'on',
  enable_indexscan: 'on',
  enable_material: 'on',
  enable_memoize: 'on',
  enable_mergejoin: 'on',
  enable_nestloop: 'on',
  enable_parallel_append: 'on',
  enable_parallel_hash: 'on',
  enable_partition_pruning: 'on',
  enable_seqscan: 'on',
  enable_sort: 'on',
  enable_tidscan: 'on'
}

export const sessionSettings: Readonly<Record<string, string>> = { ...meaning, ...planning }

/** The ones that a pooler such as PgBouncer keeps for each client; it refuses the others. */
export const pooledSettings: Readonly<Record<string, string>> = {
  client_encoding: meaning.client_encoding,
  DateStyle: meaning.DateStyle,
  TimeZone: meaning.TimeZone,
  standard_conforming_strings: meaning.standard_conforming_strings
}

export const isMeaning = (name: string): boolean => Object.hasOwn(meaning, name)
