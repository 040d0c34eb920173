"""Leaving in one step: what somebody holds, who takes it over, and the drafts that say so in the SOPs."""
