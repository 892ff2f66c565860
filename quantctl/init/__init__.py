"""`quantctl init`: a team's own project, the settings alone, beside the checkout that holds the code."""
