package main

import "github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"

// takeBackMail lets a job's list of addresses become empty. The provider takes an emptied list for one that was never
// declared and sends each address as "" instead; for webhooks it lifts that itself (jobs/resource_job.go,
// fixWebhookNotifications, v1.126.0).
func takeBackMail(job map[string]*schema.Schema) {
	task := below(job, "task")
	for _, fields := range []map[string]*schema.Schema{job, task, below(below(task, "for_each_task"), "task")} {
		for _, list := range below(fields, "email_notifications") {
			if list.Type == schema.TypeList {
				list.DiffSuppressFunc = nil
			}
		}
	}
}

// below are the fields of a block; none where there is no such block.
func below(fields map[string]*schema.Schema, block string) map[string]*schema.Schema {
	found, ok := fields[block]
	if !ok {
		return nil
	}
	resource, ok := found.Elem.(*schema.Resource)
	if !ok {
		return nil
	}
	return resource.Schema
}
