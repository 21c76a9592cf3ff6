"""What takes a text and is no reader of it: kept apart, so that whoever adds a function decides which it is.

They pass the text on, look something up by an id or a name, or put a message together; or a process with limits runs
them (`run_job` and the jobs); or what they call is tried itself. `tests/acceptance/test_long_texts.py` sends long texts
through all of them.
"""

NO_READERS: dict[str, str] = {
    "bot/cli/documents.py": "import_draft",
    "bot/cli/folder.py": "plan_change write_folder",
    "bot/cli/options.py": "parse_now replace_file write_output",
    "bot/domain/alerts/groups.py": "count_alert describe",
    "bot/domain/announcements/posts.py": "is_later",
    "bot/domain/document.py": (
        "Cast.find Cast.who Document.part Document.texts DocumentSection.tells build_past_wording"
    ),
    "bot/domain/times/due_dates.py": "choose_from expand_year month_number weekday_index",
    "bot/domain/incident.py": "adopt_policy choose_postmortem reach_milestone text_beyond_milestone",
    "bot/domain/library.py": "LibraryFilters.query library_url",
    "bot/domain/masking.py": "parse_rules",
    "bot/domain/numbers.py": "Numbers.count Numbers.list_returning",
    "bot/domain/outline.py": "Outline.find Outline.has OutlineRules.pick title_of",
    "bot/domain/pasting/paste_lines.py": "HeadingContext.apply_next_day HeadingContext.depends_on_day ask_between",
    "bot/domain/policy.py": "SeverityPolicies.name_people SeverityPolicy.due_on from_plain",
    "bot/domain/postmortem.py": "is_monitoring propose_reviewers read_section waive",
    "bot/domain/records.py": "Case.name detect_media_type",
    "bot/domain/reminders.py": (
        "describe_step find_snooze_end is_for_the_channel is_of_earlier_day is_of_earlier_resolution "
        "is_weekly plan_snooze postmortem_steps restore_snooze step_name"
    ),
    "bot/domain/review.py": "Review.find explain_unready",
    "bot/domain/secrets.py": "locate read_value replace_spans",
    "bot/domain/sections.py": "draft_section list_facts section_title",
    "bot/domain/similarity.py": "rank",
    "bot/domain/timeline.py": "find_slip format_time",
    "bot/domain/times/cldr.py": "list_items read_places read_words",
    "bot/domain/times/cldr_names.py": "read_cities read_words write_table",
    "bot/domain/times/clocks.py": "apply_part",
    "bot/domain/times/headings.py": "find_orders",
    "bot/domain/times/instants.py": "resolve",
    "bot/domain/times/language.py": "Vocabulary.at is_ordinary load_inflected_words load_own_words make_pattern",
    "bot/domain/times/scan.py": "Scan.take Scan.word",
    "bot/domain/times/zones.py": "is_bare_place",
    "bot/domain/whys.py": "find_last_by",
    "bot/export/__init__.py": (
        "Exporter.explain_trouble Exporter.render Exporter.write Exporter.write_confluence_page file_name"
    ),
    "bot/export/canvas.py": "add_pending_marks compile_edited find_edited is_unexpected mark_regions plan_steps",
    "bot/export/charts/numbers.py": "draw_dots",
    "bot/export/charts/svg.py": (
        "SvgCanvas.draw SvgCanvas.line SvgCanvas.write draw_in_both_widths find_tone make_anchor"
    ),
    "bot/export/confluence/__init__.py": "ConfluenceWriter.write_body ConfluenceWriter.write_with_charts",
    "bot/export/confluence/merge.py": "FreshPage.snapshot find_touched merge replace_top_block",
    "bot/export/confluence/reader.py": "name_mentions",
    "bot/export/confluence/regions.py": "render_markdown",
    "bot/export/docx_job.py": "run",
    "bot/export/drafts.py": "CompiledMarkdown.body CompiledMarkdown.with_body",
    "bot/export/markdown.py": "MarkdownWriter.draft_without_rows list_timeline_days list_timeline_rows",
    "bot/export/mask_patterns.py": "apply_patterns run",
    "bot/export/pdf.py": "append_missing describe_scripts split_missing",
    "bot/export/pdf_job.py": "run",
    "bot/export/sandbox.py": "run_job",
    "bot/export/template_job.py": "render_markdown run try_sample",
    "bot/export/templates.py": "load_team_templates shipped_text",
    "bot/integrations/__init__.py": "Integration.build_webhook Webhook.read as_sentence",
    "bot/integrations/atlassian.py": "need_of",
    "bot/integrations/confluence/page.py": "PageCompiler.merge",
    "bot/integrations/http.py": (
        "IntegrationError.forget IntegrationError.reword Response.number Response.objects Response.text "
        "error_of_missing_data get path_of post put text_at under value_at"
    ),
    "bot/integrations/jira/__init__.py": "JiraIntegration.build_webhook require_filled",
    "bot/integrations/jira/client.py": (
        "JiraClient.url_of browse_url choose_transition find_unfilled read_category read_field transition_fields"
    ),
    "bot/integrations/jira/remote_changes.py": "JiraWebhooks.read record_missing",
    "bot/integrations/jira/sync.py": "WorkItemBuilder.build ask_for_consent channel_link_title",
    "bot/integrations/links.py": (
        "ActionMemo.from_json CustomerUpdateMemo.from_values describe_subject enqueue_links kind_of number_in "
        "read_issue_memo"
    ),
    "bot/integrations/paging/sync.py": "add_note",
    "bot/integrations/registry.py": "build_webhooks component_source postmortem_page",
    "bot/integrations/sync.py": "report_failure",
    "bot/settings/__init__.py": "find_unknown variable",
    "bot/settings/config_file.py": "ConfigFile.mistake",
    "bot/settings/integrations.py": "Halves.is_given OutsideSettings.object_of",
    "bot/slack/channels.py": "Channels.forget Channels.has_left Channels.record_join Channels.record_leave",
    "bot/slack/directory.py": (
        "Directory.find_by_name Directory.get Directory.ids Directory.is_known Directory.is_missing "
        "Directory.name Directory.name_or_id Directory.resolve_known_names NameCache.name NameCache.remember"
    ),
    "bot/slack/message_text.py": "read_count read_object read_objects read_string",
    "bot/slack/messages_in.py": "add_source read_ts",
    "bot/slack/mrkdwn.py": "date_token mention",
    "bot/slack/openid.py": "OpenId.write_address",
    "bot/slack/pace.py": "RateLimiter.must_pause RateLimiter.pause",
    "bot/slack/reachability.py": "Reachability.note_failure",
    "bot/slack/refresh.py": "HomeTabQueue.mark_changed HomeTabQueue.mark_stale",
    "bot/slack/sender.py": "OutgoingMessage.of",
    "bot/slack/views/actions.py": "read_owner",
    "bot/slack/views/blocks.py": "read_button read_change read_mark read_ticked",
    "bot/slack/views/incidents.py": "read_or_go_button read_report read_verdicts",
    "bot/slack/views/paste.py": "read_input read_preview_time read_ticked",
    "bot/slack/views/secrets.py": "read_locations read_subject",
    "bot/web/library.py": "make_page",
    "bot/web/rate_limit.py": "RateLimit.wait_for",
    "bot/web/server.py": "BoundedConnection.data_received",
    "bot/web/slack_endpoint.py": "build_bolt",
    "bot/web/webhooks.py": (
        "Authenticator.check_body Authenticator.check_headers BearerToken.check_body "
        "BearerToken.check_headers GrafanaSignature.check_body HubSignature.check_body "
        "HubSignature.check_headers PagerDutySignature.check_body SignatureOrToken.check_body "
        "SignatureOrToken.check_headers build_authenticators make_alert_receiver make_route"
    ),
    "handlers/actions.py": "is_said_to_us",
    "handlers/boundary.py": (
        "Boundary.click Boundary.command Boundary.event Boundary.form Boundary.later Boundary.submission "
        "HandlerTable.find_button HandlerTable.find_shortcut HandlerTable.find_submission not_recorded"
    ),
    "handlers/command_table.py": "CommandTable.help_text Verb.is_available Verb.match",
    "handlers/incidents.py": "require_person",
    "handlers/requests.py": "Command.part Submission.unless_at_home button_of for_reader",
}
"""By file."""
