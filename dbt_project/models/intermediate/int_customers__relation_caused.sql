{#- What has moved the windows of relation of customers since the decision before: caused_windows() says how. -#}
{{ caused_windows(ref('int_relation_days'), ref('int_relation_windows__summed'), 'relation') }}
