// SPDX-License-Identifier: GPL-2.0-only
/*
 * Controls: settings of a device for userspace.  See control.h.
 */
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "client.h"
#include "control.h"
#include "device.h"
#include "ioctl.h"
#include "sluice.h"

#define SLUICE_CONTROLS_MAX	256	/* of a device; also the most entries of a menu */
#define SLUICE_CONTROL_PROPERTIES	(SLUICE_CONTROL_READ_ONLY | SLUICE_CONTROL_VOLATILE)

/**
 * struct sluice_control_entry - a control of a device
 * @caps: copy of the driver's description; the pointers caps.name and caps.menu of the copy are
 *	NULL
 * @name: copy of the name
 * @menu: type MENU: copy of the names of its entries; else NULL
 * @value: the last value that the driver has accepted, at first the default; controls->lock guards
 *	it
 */
struct sluice_control_entry {
	struct sluice_control_caps caps;
	char name[SLUICE_NAME_LEN];
	char (*menu)[SLUICE_NAME_LEN];
	s64 value;
};

/**
 * struct sluice_controls - the controls of a device
 * @lock: mutex: guards their values; held while the driver sets or gets one
 * @count: length of @entries; fixed when the node appears
 * @entries: the controls
 */
struct sluice_controls {
	struct mutex lock;
	unsigned int count;
	struct sluice_control_entry entries[] __counted_by(count);
};

/* May the control have this value?  The difference of two values fits into a u64. */
static bool sluice_control_takes(const struct sluice_control_caps *caps, s64 value)
{
	u64 rest;

	if (value < caps->min || value > caps->max)
		return false;
	div64_u64_rem((u64)value - (u64)caps->min, caps->step, &rest);
	return !rest;
}

static bool sluice_control_name_valid(const char *name)
{
	return name && name[0] && strnlen(name, SLUICE_NAME_LEN) < SLUICE_NAME_LEN;
}

static bool sluice_control_menu_valid(const struct sluice_control_caps *caps)
{
	s64 i;

	if (caps->min || caps->step || caps->max < 0 || caps->max >= SLUICE_CONTROLS_MAX ||
	    !caps->menu)
		return false;
	for (i = 0; i <= caps->max; i++)
		if (!sluice_control_name_valid(caps->menu[i]))
			return false;
	return true;
}

static bool sluice_control_type_valid(const struct sluice_control_caps *caps)
{
	if (caps->type == SLUICE_CONTROL_MENU)
		return sluice_control_menu_valid(caps);
	if (caps->menu)
		return false;
	switch (caps->type) {
	case SLUICE_CONTROL_INT:
		return caps->step >= 0;
	case SLUICE_CONTROL_BOOL:
		return !caps->min && !caps->max && !caps->step;
	case SLUICE_CONTROL_BUTTON:
		return !caps->min && !caps->max && !caps->step && !caps->properties;
	}
	return false;
}

static bool sluice_control_properties_valid(const struct sluice_control_caps *caps,
					    const struct sluice_device_ops *ops)
{
	bool read_only = caps->properties & SLUICE_CONTROL_READ_ONLY;
	bool changes = caps->properties & SLUICE_CONTROL_VOLATILE;

	if (caps->properties & ~SLUICE_CONTROL_PROPERTIES || (read_only && !changes))
		return false;
	return (read_only || ops->set_control) && (!changes || ops->get_control);
}

/* Fill in the fields that the driver may leave out. */
static void sluice_control_complete(struct sluice_control_caps *caps)
{
	if (caps->type == SLUICE_CONTROL_BOOL)
		caps->max = 1;
	caps->step = caps->step ?: 1;
}

static int sluice_control_copy_menu(struct sluice_control_entry *control)
{
	const struct sluice_control_caps *caps = &control->caps;
	s64 i;

	if (caps->type != SLUICE_CONTROL_MENU)
		return 0;
	control->menu = kcalloc(caps->max + 1, sizeof(*control->menu), GFP_KERNEL);
	if (!control->menu)
		return -ENOMEM;
	for (i = 0; i <= caps->max; i++)
		strscpy(control->menu[i], caps->menu[i], SLUICE_NAME_LEN);
	return 0;
}

static int sluice_control_copy(struct sluice_control_entry *control,
			       const struct sluice_control_caps *caps,
			       const struct sluice_device_ops *ops)
{
	int ret;

	if (!caps->id || caps->id > S32_MAX || !sluice_control_name_valid(caps->name) ||
	    !sluice_control_type_valid(caps) || !sluice_control_properties_valid(caps, ops))
		return -EINVAL;
	control->caps = *caps;
	sluice_control_complete(&control->caps);
	if (!sluice_control_takes(&control->caps, caps->default_value))
		return -EINVAL;
	control->value = caps->default_value;
	strscpy(control->name, caps->name, sizeof(control->name));
	ret = sluice_control_copy_menu(control);
	control->caps.name = NULL;
	control->caps.menu = NULL;
	return ret;
}

static unsigned int sluice_controls_count(const struct sluice_controls *controls)
{
	return controls ? controls->count : 0;
}

static struct sluice_control_entry *sluice_control_find(struct sluice_controls *controls, u32 id)
{
	unsigned int i;

	for (i = 0; i < sluice_controls_count(controls); i++)
		if (controls->entries[i].caps.id == id)
			return &controls->entries[i];
	return NULL;
}

/* Does an earlier control have the same id or the same name? */
static bool sluice_control_repeats(const struct sluice_controls *controls, unsigned int index)
{
	const struct sluice_control_entry *control = &controls->entries[index];
	unsigned int i;

	for (i = 0; i < index; i++)
		if (controls->entries[i].caps.id == control->caps.id ||
		    !strcmp(controls->entries[i].name, control->name))
			return true;
	return false;
}

/**
 * sluice_device_add_controls - offer controls to userspace
 * @sdev: the device; a driver calls this at most once for it
 * @controls: descriptions of the controls; copied.  The hardware must have the default values now
 * @count: length of @controls, 1 to 256
 *
 * Context: inside ops->prepare(); may sleep.
 * Return: 0, or a negative errno:
 *
 *	-EINVAL		the device has controls already, @count is wrong, or a description breaks a
 *			rule of struct sluice_control_caps.  A dev_dbg message names the description
 *	-ENOMEM		no memory
 */
int sluice_device_add_controls(struct sluice_device *sdev,
			       const struct sluice_control_caps *controls, unsigned int count)
{
	struct sluice_controls *mine;
	unsigned int i;
	int ret = 0;

	if (sdev->controls || !count || count > SLUICE_CONTROLS_MAX)
		return -EINVAL;
	mine = kzalloc(struct_size(mine, entries, count), GFP_KERNEL);
	if (!mine)
		return -ENOMEM;
	mutex_init(&mine->lock);
	mine->count = count;
	sdev->controls = mine;
	for (i = 0; i < count && !ret; i++) {
		ret = sluice_control_copy(&mine->entries[i], &controls[i], sdev->ops);
		if (!ret && sluice_control_repeats(mine, i))
			ret = -EINVAL;
	}
	if (ret) {
		dev_dbg(&sdev->dev, "controls[%u] (id %#x) is refused: %d\n", i - 1,
			controls[i - 1].id, ret);
		sluice_controls_free(sdev);
	}
	return ret;
}
EXPORT_SYMBOL_GPL(sluice_device_add_controls);

/**
 * sluice_controls_free - free the controls of a device
 * @sdev: the device.  Its node is not open.  A device without controls is allowed
 *
 * Context: may sleep.
 */
void sluice_controls_free(struct sluice_device *sdev)
{
	unsigned int i;

	for (i = 0; i < sluice_controls_count(sdev->controls); i++)
		kfree(sdev->controls->entries[i].menu);
	kfree(sdev->controls);
	sdev->controls = NULL;
}

/* The control with the id that a caller passes, or an ERR_PTR. */
static struct sluice_control_entry *sluice_control_of_call(const struct sluice_call *call,
							   u32 id, u32 flags)
{
	struct sluice_device *sdev = sluice_client_device(call);
	struct sluice_control_entry *control = sluice_control_find(sdev->controls, id);

	if (flags)
		return ERR_PTR(-EINVAL);
	if (READ_ONCE(sdev->gone))
		return ERR_PTR(-ENODEV);
	return control ?: ERR_PTR(-ENOENT);
}

/**
 * sluice_control_enum - handler of SLUICE_IOCTL_ENUM_CONTROLS
 * @call: call on a client's file
 *
 * Context: process context.
 * Return: 0, or an errno of struct sluice_enum_controls' list.
 */
int sluice_control_enum(struct sluice_call *call)
{
	const struct sluice_device *sdev = sluice_client_device(call);
	unsigned int count = sluice_controls_count(sdev->controls);
	struct sluice_enum_controls *args = call->data;
	const struct sluice_control_entry *control;

	if (args->flags || args->index >= count)
		return -EINVAL;
	if (READ_ONCE(sdev->gone))
		return -ENODEV;
	control = &sdev->controls->entries[array_index_nospec(args->index, count)];
	*args = (struct sluice_enum_controls) {
		.index = args->index,
		.id = control->caps.id,
		.type = control->caps.type,
		.properties = control->caps.properties,
		.min = control->caps.min,
		.max = control->caps.max,
		.step = control->caps.step,
		.default_value = control->caps.default_value,
	};
	strscpy(args->name, control->name, sizeof(args->name));
	return 0;
}

/**
 * sluice_control_enum_menu - handler of SLUICE_IOCTL_ENUM_MENU
 * @call: call on a client's file
 *
 * Context: process context.
 * Return: 0, or an errno of struct sluice_enum_menu's list.
 */
int sluice_control_enum_menu(struct sluice_call *call)
{
	struct sluice_enum_menu *args = call->data;
	const struct sluice_control_entry *control;
	size_t entry;

	control = sluice_control_of_call(call, args->id, args->flags);
	if (IS_ERR(control))
		return PTR_ERR(control);
	if (!control->menu || args->value < 0 || args->value > control->caps.max)
		return -EINVAL;
	entry = array_index_nospec((size_t)args->value, (size_t)control->caps.max + 1);
	memset(args->name, 0, sizeof(args->name));
	strscpy(args->name, control->menu[entry], sizeof(args->name));
	return 0;
}

/*
 * Call this before an op of the driver: it takes the lock, enters the device and wakes the
 * hardware.
 */
static int sluice_control_begin(struct sluice_device *sdev)
{
	int ret;

	if (mutex_lock_interruptible(&sdev->controls->lock))
		return -ERESTARTSYS;
	ret = -ENODEV;
	if (sluice_device_enter(sdev)) {
		ret = sluice_device_wake(sdev);
		if (!ret)
			return 0;
		sluice_device_exit(sdev);
	}
	mutex_unlock(&sdev->controls->lock);
	return ret;
}

static void sluice_control_end(struct sluice_device *sdev)
{
	sluice_device_rest(sdev);
	sluice_device_exit(sdev);
	mutex_unlock(&sdev->controls->lock);
}

/**
 * sluice_control_get - handler of SLUICE_IOCTL_GET_CONTROL
 * @call: call on a client's file
 *
 * Context: process context; may sleep as long as the driver does.
 * Return: 0, or an errno of struct sluice_control's list.
 */
int sluice_control_get(struct sluice_call *call)
{
	struct sluice_device *sdev = sluice_client_device(call);
	struct sluice_control *args = call->data;
	struct sluice_control_entry *control;
	int ret;

	control = sluice_control_of_call(call, args->id, args->flags);
	if (IS_ERR(control))
		return PTR_ERR(control);
	if (control->caps.type == SLUICE_CONTROL_BUTTON)
		return -EACCES;
	if (control->caps.properties & SLUICE_CONTROL_VOLATILE) {
		ret = sluice_control_begin(sdev);
		if (ret)
			return ret;
		ret = sdev->ops->get_control(sdev->priv, args->id, &args->value);
		sluice_control_end(sdev);
		return ret;
	}
	if (mutex_lock_interruptible(&sdev->controls->lock))
		return -ERESTARTSYS;
	args->value = control->value;
	mutex_unlock(&sdev->controls->lock);
	return 0;
}

/*
 * Store a value that the driver has accepted.  controls->lock is held, so the events have the order
 * of the changes.
 */
static void sluice_control_store(struct sluice_device *sdev, struct sluice_control_entry *control,
				 s64 value)
{
	lockdep_assert_held(&sdev->controls->lock);
	if (control->caps.properties & SLUICE_CONTROL_VOLATILE || control->value == value)
		return;
	control->value = value;
	sluice_device_event(sdev, SLUICE_EVENT_CONTROL, control->caps.id, value);
}

/**
 * sluice_control_set - handler of SLUICE_IOCTL_SET_CONTROL
 * @call: call on a client's file
 *
 * Context: process context; may sleep as long as the driver does.
 * Return: 0, or an errno of struct sluice_control's list.
 */
int sluice_control_set(struct sluice_call *call)
{
	struct sluice_device *sdev = sluice_client_device(call);
	const struct sluice_control *args = call->data;
	struct sluice_control_entry *control;
	int ret;

	control = sluice_control_of_call(call, args->id, args->flags);
	if (IS_ERR(control))
		return PTR_ERR(control);
	if (control->caps.properties & SLUICE_CONTROL_READ_ONLY ||
	    !(call->file->f_mode & FMODE_WRITE))
		return -EACCES;
	if (!sluice_control_takes(&control->caps, args->value))
		return -ERANGE;
	ret = sluice_control_begin(sdev);
	if (ret)
		return ret;
	ret = sdev->ops->set_control(sdev->priv, args->id, args->value);
	if (!ret)
		sluice_control_store(sdev, control, args->value);
	sluice_control_end(sdev);
	return ret;
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/control.c"
#endif
