{#- What has moved the windows of trade of customers since the decision before: caused_windows() says how. -#}
{{ caused_windows(ref('int_account_days'), ref('int_account_windows__summed'), 'trade') }}
