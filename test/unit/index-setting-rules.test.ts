import { describe, expect, test } from 'vitest';
import { judgeSetting } from '../../orchestrator/index/effective/setting-rules.ts';

/** Settings of both products, as each documents them. The integration tests show some of them on a real cluster. */
describe('an index setting that nobody asked for', () => {
  const verdict = (name: string, value: unknown, asked = {}): string => judgeSetting(name, value, asked).kind;

  test.each([
    ['index.lifecycle.name', 'delete-old'],
    ['index.lifecycle.rollover_alias', 'a'],
    ['index.plugins.index_state_management.policy_id', 'delete-old'],
    ['index.opendistro.index_state_management.policy_id', 'delete-old'],
    ['index.hidden', 'true'],
    ['index.max_result_window', '9999'],
    ['index.max_inner_result_window', '1'],
    ['index.max_something_new', '1'],
    ['index.mapping.ignore_malformed', 'true'],
    ['index.mapping.ignore_above', '3'],
    ['index.mapping.source.mode', 'synthetic'],
    ['index.mapping.total_fields.ignore_dynamic_beyond_limit', 'true'],
    ['index.mapping.something_new', 'true'],
    ['index.mode', 'logsdb'],
    ['index.mode', 'time_series'],
    ['index.routing_path', ['a']],
    ['index.routing.allocation.require.box', 'warm'],
    ['index.routing.allocation.include._tier_preference', 'data_cold'],
    ['index.routing.allocation.enable', 'none'],
    ['index.search.default_pipeline', 'p'],
    ['index.search.something_new', 'x'],
    ['index.blocks.read_only_allow_delete', 'true'],
    ['index.sort.field', ['a']],
    ['index.query.default_field', ['a']],
    ['index.analysis.analyzer.default.type', 'keyword'],
    ['index.derived_source.enabled', 'true'],
    ['index.append_only.enabled', 'true'],
    ['index.plugins.something_new', 'x'],
    ['index.store.type', 'snapshot'],
    ['index.auto_expand_replicas', '0-all'],
  ])('is refused if it loses, hides, moves or limits, such as %s: %s', (name, value) => {
    expect(verdict(name, value)).toBe('refused');
  });

  test.each([
    ['index.codec', 'best_compression'],
    ['index.max_result_window', '50000'],
    ['index.number_of_shards', '3'],
    ['index.number_of_routing_shards', '30'],
    ['index.default_pipeline', 'p'],
    ['index.mapping.total_fields.limit', '5000'],
    ['index.search.slowlog.threshold.query.warn', '1s'],
    ['index.hidden', 'false'],
    ['index.search.default_pipeline', '_none'],
    ['index.analysis.analyzer.unused.type', 'keyword'],
    ['index.something_new', 'x'],
    ['index.write.wait_for_active_shards', '1'],
    ['index.translog.durability', 'REQUEST'],
  ])('is only named if it does no harm, such as %s: %s', (name, value) => {
    expect(verdict(name, value)).toBe('harmless');
  });

  test.each([
    ['index.uuid', 'a'],
    ['index.version.created', '1'],
    ['index.routing.allocation.include._tier_preference', 'data_content'],
    ['index.replication.type', 'DOCUMENT'],
    ['index.number_of_shards', '1'],
  ])('is not even named if every cluster writes it by itself, such as %s: %s', (name, value) => {
    expect(verdict(name, value)).toBe('own');
  });

  test('is refused if it adds to an analyzer that the definition describes', () => {
    const asked = { 'index.analysis.analyzer.folded.tokenizer': 'standard' };
    expect(verdict('index.analysis.analyzer.folded.char_filter', ['html_strip'], asked)).toBe('refused');
    expect(verdict('index.analysis.analyzer.other.char_filter', ['html_strip'], asked)).toBe('harmless');
  });
});
