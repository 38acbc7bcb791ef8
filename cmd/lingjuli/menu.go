package main

import "github.com/lingjuli/lingjuli/bot"

// menuButtons is the account's menu; a click's key is the flow it starts. Its words are always Chinese: the
// platform shows one menu to all. consent is the address of the page of consent; empty: no button for it.
func menuButtons(consent string) []bot.MenuButton {
	w := textsFor("zh", "")
	button := func(flow string) bot.MenuButton { return bot.MenuButton{Name: w.t("menu_" + flow), Key: flow} }
	does := []bot.MenuButton{button("jobs"), button("training"), button("bind_identity"), button("human")}
	if consent != "" {
		does = append(does, bot.MenuButton{Name: w.t("menu_subscribe"), URL: consent})
	}
	return []bot.MenuButton{
		{Name: w.t("menu_look"), Buttons: []bot.MenuButton{button("check_medical"), button("check_pension"), button("check_subsidy"), button("premium_pay")}},
		{Name: w.t("menu_do"), Buttons: does},
		button("main_menu"),
	}
}
