"""`dlclive replay`: a recorded run goes through processors again."""
